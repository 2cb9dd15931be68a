"""Disk images from a tree of files, made without mounting anything."""

import os
from pathlib import Path

from mplskit import process

LABEL = "mplskit"
ROOM = 1 << 30
STEP = 256 << 20


def make_raw(tree: Path, raw: Path, log: Path) -> None:
    """One ext4 file system with the content of `tree` and 1 GiB to spare, sparse, without a partition table."""
    with raw.open("wb") as file:
        file.truncate(size_for(content_size(tree)))
    process.run(["mke2fs", "-q", "-t", "ext4", "-L", LABEL, "-d", tree, raw], log=log)


def make_qcow2(raw: Path, qcow2: Path, log: Path) -> None:
    """The same disk as qcow2, holes left out."""
    process.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, qcow2], log=log)


def size_for(content: int) -> int:
    """Bytes of a disk for that many bytes of content: a quarter more, 1 GiB to spare, whole steps of 256 MiB."""
    return -(-(content * 5 // 4 + ROOM) // STEP) * STEP


def content_size(tree: Path) -> int:
    """Bytes that the files of a tree take on a disk."""
    return sum(
        Path(folder, name).lstat().st_blocks * 512
        for folder, folders, names in os.walk(tree)
        for name in folders + names
    )
