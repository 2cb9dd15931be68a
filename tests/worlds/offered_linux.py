"""Debian's kernel source, when this machine's apt offers it, in the user's own cache: it is unpacked once."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.command_line import CommandLine, stand_in

CACHE = Path(os.environ.get("MPLSKIT_CACHE") or Path.home() / ".cache" / "mplskit")


@cache
def offered() -> bool:
    """Whether there is a linux-source package to be had."""
    if shutil.which("apt-cache") is None:
        return False
    argv = ["apt-cache", "search", "--names-only", r"^linux-source-[0-9]+\.[0-9]+$"]
    return bool(subprocess.run(argv, capture_output=True, check=False).stdout)


# Where apt keeps no cache of its lists, as in containers, each question costs it half a second.
ASKED_ONCE = """\
said={folder}/$(printf '%s\\n' "$@" | sha256sum | cut -c 1-32)
[ -e "$said" ] || {{ {program} "$@" >"$said.new" && mv "$said.new" "$said"; }} || exit
cat "$said"
"""


@pytest.fixture(scope="module")
def mplskit(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """mplskit with the user's cache; what this machine's apt-cache says is asked for once."""
    folder = tmp_path_factory.mktemp("offered")
    script = ASKED_ONCE.format(folder=folder / "said", program=shutil.which("apt-cache"))
    (folder / "said").mkdir()
    return CommandLine(folder, {"MPLSKIT_CACHE": str(CACHE), **stand_in(folder / "said", "apt-cache", script)})
