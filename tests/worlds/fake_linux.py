"""A tree that behaves like a kernel (tests/worlds/fakelinux), planted read-only; and whether anybody wrote to it."""

import os
import shutil
import subprocess
from pathlib import Path

FAKELINUX = Path(__file__).parent / "fakelinux"
# 2023-11-14 22:13:20 UTC: the Makefile's date becomes the kernel's.
DATE = 1_700_000_000


def plant(folder: Path) -> Path:
    """A copy of the tree in `folder`, where nothing may be written."""
    tree = folder / "linux-6.1.999"
    shutil.copytree(FAKELINUX, tree)
    for path in (tree, *tree.rglob("*")):
        os.utime(path, (DATE, DATE))
        path.chmod(path.stat().st_mode & ~0o222)
    return tree


def snapshot(tree: Path) -> dict[str, tuple[int, int, bytes]]:
    """Mode, date (ns) and content of everything in a tree: root can write where nobody may, so this is the proof."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in (tree, *tree.rglob("*"))
    }


def pack(tree: Path, archive: Path) -> Path:
    """The tree as a tar archive, compressed by what the archive's name says."""
    subprocess.run(
        ["tar", "--create", "--auto-compress", "--mode=u+w", "--file", archive, "--directory", tree.parent, tree.name],
        check=True,
    )
    return archive
