"""The contract on imports in pyproject.toml, which import-linter keeps, and what breaks it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]


@pytest.mark.parametrize(
    ("module", "line", "said"),
    [
        (
            "config/kbuild.py",
            "from mplskit.kernel import build",
            "mplskit.config is not allowed to import mplskit.kernel",
        ),
        ("errors.py", "from mplskit import files", "errors"),
        ("config/kbuild.py", "from mplskit.config import configure", "kbuild"),
    ],
    ids=["an import that points back", "a circle of modules beside the parts", "a circle inside a part"],
)
def test_the_contract_is_broken_by(tmp_path: Path, module: str, line: str, said: str) -> None:
    shutil.copytree(ROOT / "mplskit", tmp_path / "mplskit", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "mplskit" / module).open("a") as file:
        file.write(f"{line}\n")
    ran = subprocess.run(
        LINTER,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stderr
    assert said in ran.stdout
