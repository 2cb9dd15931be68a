"""Debian's kernel source, when this machine's apt offers it, in the user's own cache: it is unpacked once."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

CACHE = Path(os.environ.get("MPLSKIT_CACHE") or Path.home() / ".cache" / "mplskit")


@cache
def offered() -> bool:
    """Whether there is a linux-source package to be had."""
    if shutil.which("apt-cache") is None:
        return False
    argv = ["apt-cache", "search", "--names-only", r"^linux-source-[0-9]+\.[0-9]+$"]
    return bool(subprocess.run(argv, capture_output=True, check=False).stdout)
