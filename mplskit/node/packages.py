"""Which Debian packages of a folder belong on a node: a kernel image, and iproute2."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mplskit import process
from mplskit.errors import WrongInput
from mplskit.files import digest_file

ROLES = ("image", "iproute2")
RECORDS = ("metadata.json", "iproute2.json")


def node_packages(folder: Path) -> list[Path]:
    """The packages of `folder` for a node: those that its records name, else those that are of the kind.

    Raises WrongInput when there is none, when a record does not agree with its file, or when the choice is not clear.
    """
    if not folder.is_dir():
        raise WrongInput(f"--packages {folder}: there is no such folder")
    recorded = [entry for name in RECORDS for entry in _record(folder / name) if entry.get("role") in ROLES]
    found = [_checked(folder, entry) for entry in recorded] if recorded else _classified(folder)
    if not found:
        raise WrongInput(
            f"--packages {folder}: no linux-image and no iproute2 package there",
            hint="kernel.build and iproute2.build make them; a node whose own kernel will do needs no --packages",
        )
    return found


def _record(path: Path) -> list[Mapping[str, Any]]:
    if not path.exists():
        return []
    try:
        packages = json.loads(path.read_text())["packages"]
        return [entry for entry in packages if isinstance(entry, dict)]
    except (ValueError, KeyError, TypeError):
        raise WrongInput(f"{path}: not a record of packages", hint="build again, or remove it") from None


def _checked(folder: Path, entry: Mapping[str, Any]) -> Path:
    path = folder / str(entry["file"])
    if not path.is_file():
        raise WrongInput(f"{path}: recorded as {entry['package']}, but not there", hint="build it again")
    if digest_file(path) != entry["sha256"]:
        raise WrongInput(f"{path}: not the file that was recorded (sha256 differs)", hint="build it again")
    return path


def _classified(folder: Path) -> list[Path]:
    named = [(path, package_name(path)) for path in sorted(folder.glob("*.deb"))]
    kernels = [path for path, name in named if name.startswith("linux-image-") and not name.endswith("-dbg")]
    tools = [path for path, name in named if name == "iproute2"]
    for kind, paths in (("linux-image", kernels), ("iproute2", tools)):
        if len(paths) > 1:
            raise WrongInput(
                f"--packages {folder}: more than one {kind} package, and no record says which",
                detail="\n".join(path.name for path in paths),
                hint="leave one in the folder",
            )
    return [*kernels, *tools]


def package_name(path: Path) -> str:
    """The name inside a .deb. Raises WrongInput when it is not one."""
    return process.run(["dpkg-deb", "-f", path, "Package"], failure=WrongInput).stdout.strip()
