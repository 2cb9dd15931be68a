"""Which Debian packages of a folder belong on a node: a kernel image, and iproute2."""

from pathlib import Path

from mplskit.debian.package_file import Role, read_package
from mplskit.debian.package_records import recorded
from mplskit.errors import WrongInput

ROLES = (Role.IMAGE, Role.IPROUTE2)


def node_packages(folder: Path) -> list[Path]:
    """The packages of `folder` for a node: those that its records name, else those that are of the kind.

    Raises WrongInput when there is none, when a record does not agree with its file, or when the choice is not clear.
    """
    if not folder.is_dir():
        raise WrongInput(f"--packages {folder}: there is no such folder")
    found = [path for path in (recorded(folder, role) for role in ROLES) if path] or _classified(folder)
    if not found:
        raise WrongInput(
            f"--packages {folder}: no linux-image and no iproute2 package there",
            hint="kernel.build and iproute2.build make them; a node whose own kernel will do needs no --packages",
        )
    return found


def _classified(folder: Path) -> list[Path]:
    roles = {path: read_package(path).role for path in sorted(folder.glob("*.deb"))}
    found = {role: [path for path, its in roles.items() if its is role] for role in ROLES}
    for role, paths in found.items():
        if len(paths) > 1:
            kind = "linux-image" if role is Role.IMAGE else "iproute2"
            raise WrongInput(
                f"--packages {folder}: more than one {kind} package, and no record says which",
                detail="\n".join(path.name for path in paths),
                hint="leave one in the folder",
            )
    return [path for paths in found.values() for path in paths]
