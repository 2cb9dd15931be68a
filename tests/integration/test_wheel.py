"""The package that pip installs carries the data that users read, and works without the checkout."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as `pip wheel --no-build-isolation` does, from a copy of what is in the checkout, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "mplskit"
    source.mkdir()
    for name in ("mplskit", "kconfig", "keys", "bootstrap", "topologies"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "packages.txt", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, source)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], check=True, cwd=source)
    [made] = folder.glob("*.whl")
    return made


def test_the_wheel_carries_what_users_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("kconfig", "keys", "bootstrap", "topologies"):
        ours = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
        wanted = {f"mplskit/_data/{path}" for path in ours if "__pycache__" not in path.parts}
        assert wanted and wanted <= names
    assert "mplskit/_data/packages.txt" in names
    assert not any(name.startswith("tests/") for name in names)


def test_the_installed_command_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", target, wheel], check=True)
    env = {**os.environ, "PYTHONPATH": f"{target}:{sysconfig.get_path('purelib')}"}

    def command(*words: str) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, str(target / "bin" / "mplskit"), *words]
        return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=tmp_path, env=env)

    listed = command("--list")
    assert listed.returncode == 0, listed.stderr
    for task in ("doctor", "kernel.fetch", "kernel.config", "kernel.build", "iproute2.build", "iproute2.verify"):
        assert f" {task} " in listed.stdout
    planned = command("kernel.build", "--options", "lab", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "CONFIG_MPLS_ROUTING=m (options/mpls.config:13)" in planned.stdout
    assert "CONFIG_VETH=m (options/lab.config:" in planned.stdout
