"""Puts the tree of a verified archive into the cache: whole or not at all, once for each digest."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mplskit import files
from mplskit.progress import step
from mplskit.sources.source_spec import Spec
from mplskit.sources.source_tree import SourceTree, iproute2_version, kernel_version
from mplskit.sources.unpack import unpack


@dataclass(frozen=True)
class Software:
    """What is fetched: how its version is read from a tree (raises WrongInput for another), and its size in bytes."""

    name: str
    version: Callable[[Path, str], str]
    unpacked: int


LINUX = Software("linux", kernel_version, 2 << 30)
IPROUTE2 = Software("iproute2", iproute2_version, 64 << 20)


def place(software: Software, digest: str, cache: Path) -> Path:
    """Where the tree of the archive with this digest (SHA-256, hex) is, or will be."""
    return cache / "sources" / f"{software.name}-{digest[:24]}"


def is_whole(software: Software, digest: str, cache: Path) -> bool:
    """Whether the tree of the archive with this digest (SHA-256, hex) is there, and its record can be read."""
    return files.is_whole(place(software, digest, cache), _version_in)


def tree_of(
    software: Software, spec: Spec, digest: str, origin: str, cache: Path, archive_in: Callable[[Path], Path]
) -> SourceTree:
    """The tree of the archive with this digest (SHA-256, hex); `archive_in(folder)` brings the archive if need be.

    `origin` says where it came from and how it was verified.
    """
    target = place(software, digest, cache)

    def build(folder: Path) -> None:
        # The tar lies beside the tree while that is written.
        files.need_space(folder, 2 * software.unpacked, f"unpacking {software.name}")
        (folder / "download").mkdir()
        (folder / "unpacked").mkdir()
        archive = archive_in(folder / "download")
        with step(f"unpacking {archive.name}"):
            tree = unpack(archive, folder / "unpacked", 2 * software.unpacked)
        version = software.version(tree, f"source {spec}")
        tree.rename(folder / software.name)
        shutil.rmtree(folder / "download")
        if (folder / "unpacked").exists():
            (folder / "unpacked").rmdir()
        (folder / "source.json").write_text(json.dumps({"version": version, "digest": digest, "origin": origin}))

    files.build_once(target, build, _version_in)
    return SourceTree(software.name, _version_in(target), str(spec), origin, digest, target / software.name)


def _version_in(target: Path) -> str:
    return str(json.loads((target / "source.json").read_text())["version"])
