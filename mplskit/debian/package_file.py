"""A finished Debian package: what it is, and the kernel configuration inside."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mplskit import files, process
from mplskit.errors import WrongInput


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


def read_package(path: Path) -> Package:
    """Ask dpkg what a file is. Raises WrongInput when it is no package."""
    shown = process.run(
        ["dpkg-deb", "--show", "--showformat", "${Package} ${Version}", path], failure=WrongInput
    ).stdout
    name, version = shown.split()
    return Package(name, version, path.name, files.digest_file(path), path.stat().st_size, role_of(name))


def read_deb(path: Path) -> Deb:
    """A package file with what it says it is. Raises WrongInput when it is no package."""
    return Deb(path, read_package(path))


def packaged_config(path: Path) -> tuple[str, str]:
    """The kernel release and the text of `/boot/config-RELEASE` inside a linux-image package."""
    names = process.run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$1" | tar -t', "sh", path]).stdout.splitlines()
    inside = next((name for name in names if name.startswith("./boot/config-")), None)
    if inside is None:
        raise WrongInput(f"{path} has no /boot/config-*: it is no kernel image package")
    pipe = 'dpkg-deb --fsys-tarfile "$1" | tar -xO "$2"'
    return inside.removeprefix("./boot/config-"), process.run(["sh", "-c", pipe, "sh", path, inside]).stdout
