"""Unpacks archives in full or not at all: looked through first, then written by what was seen."""

import os
from pathlib import Path
from typing import BinaryIO

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.sources.archive_members import DAMAGED, Kind, Member, check, read_members, top_folder

# How a compressed archive begins, and what decompresses it to stdout. The name of a file says nothing.
DECOMPRESSORS = {
    b"\xfd7zXZ\0": ("xz", "--decompress", "--stdout", "--no-sparse", "--threads=0"),
    b"\x1f\x8b": ("gzip", "--decompress", "--stdout"),
    b"\x28\xb5\x2f\xfd": ("zstd", "--decompress", "--stdout", "--quiet"),
    b"BZh": ("bzip2", "--decompress", "--stdout"),
}
# More bytes than any archive here has, decompressed: the newest kernels have 1.7 GiB.
LIMIT = 4 << 30


def unpack(archive: Path, folder: Path, limit: int = LIMIT) -> Path:
    """Unpack a tar archive, compressed or not, into the empty `folder`, beside which its tar is written meanwhile.

    Returns the one folder that the archive held, or `folder` itself. Raises OutsideFailed when the archive is damaged,
    is larger than `limit` bytes, or holds what must not be unpacked.
    """
    tar = decompressed(archive, folder.parent, limit)
    try:
        return unpack_tar(tar, folder, archive.name)
    finally:
        if tar != archive:
            tar.unlink()


def decompressed(archive: Path, folder: Path, limit: int = LIMIT) -> Path:
    """The uncompressed tar of an archive, written to `folder`; the archive itself when it is not compressed.

    Raises OutsideFailed when it is damaged or gives more than `limit` bytes.
    """
    with archive.open("rb") as file:
        begin = file.read(8)
    argv = next((words for magic, words in DECOMPRESSORS.items() if begin.startswith(magic)), None)
    if argv is None:
        if archive.stat().st_size > limit:
            raise _too_large(archive, limit)
        return archive
    process.require(argv[0], package="xz-utils gzip zstd bzip2")
    tar = folder / f"{archive.name}.uncompressed"
    try:
        with tar.open("wb") as file:
            process.run(["prlimit", f"--fsize={limit}", *argv, archive], stdout=file, failure=OutsideFailed)
    except OutsideFailed as error:
        size = tar.stat().st_size
        tar.unlink()
        if size >= limit:
            raise _too_large(archive, limit) from None
        detail = error.detail.replace(str(archive), archive.name)
        raise OutsideFailed(f"{archive.name} {DAMAGED}", detail=detail, hint="get it again") from None
    return tar


def unpack_tar(tar: Path, folder: Path, called: str = "") -> Path:
    """Unpack an uncompressed tar archive into the empty `folder`; errors name it `called`.

    Returns the one folder that it held, or `folder` itself. Files are 0644 or 0755 and ours, as git has them; folders
    are 0755. Raises OutsideFailed, before anything is written, when it is damaged or holds what must not be unpacked:
    see `archive_members.check`.
    """
    called = called or tar.name
    with tar.open("rb") as file:
        members = read_members(file, called)
        if not members:
            raise OutsideFailed(f"{called} holds nothing")
        check(members, called)
        _write(file, members, str(folder))
    return folder / top_folder(members)


def _write(tar: BinaryIO, members: list[Member], folder: str) -> None:
    """Write checked members into an empty folder that nobody else writes to."""
    made = {folder}
    for member in members:
        path = f"{folder}/{member.path}"
        above = path if member.kind is Kind.FOLDER else path.rpartition("/")[0]
        if above not in made:
            Path(above).mkdir(parents=True, exist_ok=True)
            made.add(above)
        match member.kind:
            case Kind.FILE:
                _write_file(tar.fileno(), member, path)
            case Kind.SYMLINK:
                Path(path).symlink_to(member.link)
            case Kind.HARD_LINK:
                os.link(f"{folder}/{member.link}", path, follow_symlinks=False)
    for member in reversed(members):
        if member.kind is Kind.FOLDER:
            Path(folder, member.path).chmod(0o755)
            os.utime(Path(folder, member.path), (_seconds(member), _seconds(member)))


def _write_file(tar: int, member: Member, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        offset, end = member.offset, member.offset + member.size
        while offset < end:
            sent = os.sendfile(file, tar, offset, end - offset)
            if not sent:
                raise OutsideFailed(f"{path} has an end too early: the archive was changed while it was read")
            offset += sent
        os.fchmod(file, 0o755 if member.executable else 0o644)
        os.utime(file, (_seconds(member), _seconds(member)))
    finally:
        os.close(file)


def _seconds(member: Member) -> float:
    return member.modified if 0 <= member.modified < 1 << 33 else 0


def _too_large(archive: Path, limit: int) -> OutsideFailed:
    return OutsideFailed(
        f"{archive.name} is not unpacked: it gives more than {limit >> 20:,} MiB, which no such source has",
        hint="nothing of it was written; ask for the archive where it is published",
    )
