"""Debian package files: what their control data says of them, and what is in them. All calls of dpkg-deb are here."""

import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mplskit import files, process
from mplskit.errors import BuildFailed, Failure, WrongInput

STEP = 1 << 16
# Where a kernel package has its configuration.
CONFIG = "boot/config-"


class Role(StrEnum):
    """What a package of ours is for. A node gets IMAGE and IPROUTE2, and nothing else."""

    IMAGE = "image"
    HEADERS = "headers"
    LIBC = "libc-headers"
    DEBUG = "debug"
    IPROUTE2 = "iproute2"
    OTHER = "other"


@dataclass(frozen=True)
class Package:
    """A package file by what its own control data says."""

    package: str
    version: str
    file: str
    sha256: str
    size: int
    role: Role


@dataclass(frozen=True)
class Deb:
    """A package file, and what it says it is."""

    path: Path
    package: Package


def role_of(name: str) -> Role:
    """The role of a package by its name."""
    if name.startswith("linux-image-"):
        return Role.DEBUG if name.endswith("-dbg") else Role.IMAGE
    known = {"linux-libc-dev": Role.LIBC, "iproute2": Role.IPROUTE2}
    return known.get(name, Role.HEADERS if name.startswith("linux-headers-") else Role.OTHER)


def fields(path: Path, *names: str) -> list[str]:
    """The values of these control fields, the last of which may have several lines; empty for one that is not there.

    Raises WrongInput when it is no package.
    """
    format_ = r"\n".join(f"${{{name}}}" for name in names)
    shown = process.run(["dpkg-deb", "--show", "--showformat", format_, path], failure=WrongInput).stdout
    return shown.split("\n", len(names) - 1)


def read_package(path: Path) -> Package:
    """Ask dpkg what a file is. Raises WrongInput when it is no package."""
    name, version = fields(path, "Package", "Version")
    return Package(name, version, path.name, files.digest_file(path), path.stat().st_size, role_of(name))


def read_deb(path: Path) -> Deb:
    """A package file with what it says it is. Raises WrongInput when it is no package."""
    return Deb(path, read_package(path))


@dataclass(frozen=True)
class Member:
    """What a package brings: its path below /, its size in bytes, and its content where that was asked for."""

    name: str
    size: int
    is_file: bool
    content: bytes


def package_members(path: Path, read: Callable[[str], object] = lambda name: False) -> Iterator[Member]:
    """All that a package brings, in the order of the file, which is read as far as it is asked for.

    `read` says by name of which files the content is wanted. Raises WrongInput when the package is damaged.
    """
    with process.started(["dpkg-deb", "--fsys-tarfile", path]) as unpacking:
        assert unpacking.stdout and unpacking.stderr
        why = ""
        try:
            with tarfile.open(fileobj=unpacking.stdout, mode="r|") as archive:
                for entry in archive:
                    name = entry.name.removeprefix("./")
                    file = archive.extractfile(entry) if entry.isfile() and read(name) else None
                    yield Member(name, entry.size, entry.isfile(), file.read() if file else b"")
        except tarfile.TarError as error:
            why = str(error)
        while unpacking.stdout.read(STEP):
            pass
        said = unpacking.stderr.read().decode(errors="replace").strip()
        if unpacking.wait() != 0 or why:
            raise WrongInput(f"{path} is damaged", detail=said or why, hint="fetch or build it again")


def extract(path: Path, folder: Path, *, without: Sequence[str] = (), failure: type[Failure] = BuildFailed) -> None:
    """Unpack what a package brings into `folder`, but what has one of these patterns of tar's (`*/usr/share/*`).

    Raises `failure`.
    """
    if not without:
        process.run(["dpkg-deb", "--extract", path, folder], failure=failure)
        return
    pipe = 'file=$1; shift; dpkg-deb --fsys-tarfile "$file" | tar -x --no-same-owner --wildcards "$@"'
    excluded = [f"--exclude={pattern}" for pattern in without]
    process.run(["sh", "-c", pipe, "sh", path, "-C", folder, *excluded], failure=failure)


def packaged_config(path: Path) -> tuple[str, str]:
    """The kernel release and the text of `/boot/config-RELEASE` inside a linux-image package."""
    for member in package_members(path, read=_is_config):
        if member.is_file and _is_config(member.name):
            return member.name.removeprefix(CONFIG), member.content.decode()
    raise WrongInput(f"{path} has no /boot/config-*: it is no kernel image package")


def _is_config(name: str) -> bool:
    return name.startswith(CONFIG)
