"""The records in `dist/`: which packages a build made, by name, role and SHA-256. What they do not name is nobody's."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mplskit import files
from mplskit.debian.package_file import Package, Role
from mplskit.errors import BuildFailed, WrongInput

KERNEL = "metadata.json"
IPROUTE2 = "iproute2.json"
_RECORD_OF = {Role.IMAGE: KERNEL, Role.IPROUTE2: IPROUTE2}


def read_record(path: Path) -> dict[str, Any] | None:
    """A record, or None where there is none. Raises WrongInput when it is damaged."""
    try:
        record = json.loads(path.read_text())
        if not all(isinstance(row["file"], str) and row["sha256"] and row["role"] for row in record["packages"]):
            raise ValueError
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise WrongInput(f"{path}: not a record of packages", hint="build again, or remove it") from None
    return dict(record)


def recorded(folder: Path, role: Role) -> Path | None:
    """The package of a role that a build left in `folder`, as its record has it; None where there is no record.

    Raises WrongInput when the record is damaged, or the file is missing or not the one that was recorded.
    """
    rows = (read_record(folder / _RECORD_OF[role]) or {"packages": []})["packages"]
    row = next((row for row in rows if row["role"] == role), None)
    if row is None:
        return None
    path = folder / str(row["file"])
    if not path.is_file():
        raise WrongInput(f"{path}: recorded as {row['package']}, but not there", hint="build it again")
    if files.digest_file(path) != row["sha256"]:
        raise WrongInput(f"{path}: not the file that was recorded (sha256 differs)", hint="build it again")
    return path


def packages_of(record: Mapping[str, Any]) -> tuple[Package, ...]:
    """The packages that a record names."""
    return tuple(Package(**{**row, "role": Role(row["role"])}) for row in record["packages"])


def deliver(built: Path, dist: Path, packages: Sequence[Package]) -> None:
    """Bring packages from where they were built to `dist`; what is there already stays untouched.

    Raises BuildFailed when a built file is no longer what was recorded.
    """
    for package in packages:
        target = dist / package.file
        if target.is_file() and files.digest_file(target) == package.sha256:
            continue
        files.copy_atomically(built / package.file, target)
        if files.digest_file(target) != package.sha256:
            target.unlink()
            raise BuildFailed(
                f"{built / package.file} was changed since it was built", hint=f"remove {built} and build again"
            )


def write_record(path: Path, record: Mapping[str, object]) -> None:
    """Vouch for packages: written after they are there."""
    files.write_atomically(path, json.dumps(record, indent=2, default=str) + "\n")
