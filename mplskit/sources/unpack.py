"""Unpacks archives in full or not at all."""

from pathlib import Path

from mplskit import process
from mplskit.errors import OutsideFailed


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack a tar archive into the empty `folder`; returns the one folder that it held, or `folder` itself.

    Raises OutsideFailed when tar finds it damaged.
    """
    argv: list[str | Path] = [
        "tar",
        "--extract",
        "--no-same-owner",
        "--file",
        archive.absolute(),
        "--directory",
        folder,
    ]
    try:
        process.run(argv, failure=OutsideFailed)
    except OutsideFailed as error:
        raise OutsideFailed(
            f"{archive.absolute()} is damaged, or no tar archive", detail=error.detail, hint="get it again"
        ) from None
    inside = list(folder.iterdir())
    alone = len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink()
    return inside[0] if alone else folder
