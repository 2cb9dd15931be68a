"""What a tar archive would write: read, and judged, before anything of it is written."""

import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

from mplskit.errors import OutsideFailed

# The newest kernels have 95,000 members.
MOST_MEMBERS = 1_000_000
# One read of a header: the longest are pax records with a long name or a commit in them.
LONGEST_HEADER = 1 << 20
# What Linux allows in one name, in a link's target, and (with room for the folder above) in a path.
LONGEST_NAME, LONGEST_LINK, LONGEST_PATH = 255, 4095, 3072
# So many links Linux follows in one path before it gives up.
MOST_LINKS = 40

DAMAGED = "is damaged, or no tar archive"


class Kind(Enum):
    """What a member becomes."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symlink"
    HARD_LINK = "hard link"


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive. `path` has no `.` in it; a file's bytes are `size` from `offset` on; `link` is what a
    symlink or hard link names; `modified` is seconds since 1970."""

    path: str
    kind: Kind
    link: str = ""
    offset: int = 0
    size: int = 0
    executable: bool = False
    modified: float = 0


def read_members(tar: BinaryIO, called: str) -> list[Member]:
    """All members of an uncompressed archive, its own `.` left out.

    Raises OutsideFailed when it is no archive, damaged, or holds something other than files, folders and links.
    """
    found: list[Member] = []
    try:
        with tarfile.open(fileobj=_Headers(tar), mode="r:") as archive:  # type: ignore[call-overload]
            while (entry := archive.next()) is not None:
                if len(found) >= MOST_MEMBERS:
                    raise _refused(called, entry.name, f"is beyond the first {MOST_MEMBERS:,} members")
                # By itself tarfile keeps every entry in memory.
                archive.members = []
                member = _member(entry, called)
                if member.path or member.kind is not Kind.FOLDER:
                    found.append(member)
            tar.seek(archive.offset)
            if tar.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise OutsideFailed(f"{called} {DAMAGED}", detail=f"bad header at byte {archive.offset}")
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, RecursionError, EOFError) as error:
        raise OutsideFailed(f"{called} {DAMAGED}", detail=str(error), hint="get it again") from None
    return found


def check(members: Sequence[Member], called: str) -> None:
    """Judge what would be written, before it is. Raises OutsideFailed for the first member that must not be: one that
    leads out of the tree by its name or its link, goes through a link, or is there twice.
    """
    kinds: dict[str, Kind] = {}
    for member in members:
        why = _bad_name(member.path) or _bad_place(member, kinds) or _bad_link(member, kinds)
        if why:
            raise _refused(called, member.path, why)
        kinds[member.path] = member.kind
    links = {member.path: member.link for member in members if member.kind is Kind.SYMLINK}
    top = 1 if top_folder(members) else 0
    for member in members:
        if member.kind is Kind.SYMLINK and _leaves(member, links, top):
            raise _refused(called, member.path, f"is a symlink out of the tree, to {member.link!r}")


def top_folder(members: Sequence[Member]) -> str:
    """The one folder that holds all else; empty when there is no such."""
    tops = {member.path.partition("/")[0] for member in members}
    alone = len(tops) == 1 and all("/" in member.path or member.kind is Kind.FOLDER for member in members)
    return tops.pop() if alone else ""


def _member(entry: tarfile.TarInfo, called: str) -> Member:
    if entry.size < 0:
        raise OutsideFailed(f"{called} {DAMAGED}", detail=f"{entry.name!r} has {entry.size} bytes")
    path = entry.name
    if not path.startswith("/"):
        path = "/".join(word for word in path.split("/") if word not in ("", "."))
    if entry.isdir():
        return Member(path, Kind.FOLDER, modified=entry.mtime)
    if entry.issym():
        return Member(path, Kind.SYMLINK, entry.linkname)
    if entry.islnk():
        link = "/".join(word for word in entry.linkname.split("/") if word not in ("", "."))
        return Member(path, Kind.HARD_LINK, "/" * entry.linkname.startswith("/") + link)
    if entry.isreg() and not entry.issparse():
        return Member(
            path, Kind.FILE, "", entry.offset_data, entry.size, bool(entry.mode & 0o100), modified=entry.mtime
        )
    raise _refused(called, entry.name, f"is {_what(entry)}, which no source archive has")


def _what(entry: tarfile.TarInfo) -> str:
    if entry.ischr() or entry.isblk():
        return "a device node"
    if entry.isfifo():
        return "a named pipe"
    if entry.issparse():
        return "a file with holes"
    return f"of the unknown type {entry.type.decode('latin-1')!r}"


def _bad_name(path: str) -> str:
    words = path.split("/")
    if path.startswith("/"):
        return "is an absolute name"
    if ".." in words:
        return "leads out of its folder by .."
    if not path or "\0" in path:
        return "is no name"
    longest = max(len(word.encode(errors="surrogateescape")) for word in words)
    if longest > LONGEST_NAME or len(path.encode(errors="surrogateescape")) > LONGEST_PATH:
        return "is too long a name"
    return ""


def _bad_place(member: Member, kinds: dict[str, Kind]) -> str:
    """Why a member cannot be where it says; the folders above it are added to `kinds`."""
    above = member.path
    while "/" in above:
        above = above.rpartition("/")[0]
        kind = kinds.setdefault(above, Kind.FOLDER)
        if kind is not Kind.FOLDER:
            return f"lies below {above!r}, which is a {kind.value}"
    earlier = kinds.get(member.path)
    if earlier and not (earlier is member.kind is Kind.FOLDER):
        return "is there twice"
    return ""


def _bad_link(member: Member, kinds: Mapping[str, Kind]) -> str:
    if member.kind is Kind.HARD_LINK and kinds.get(member.link) not in (Kind.FILE, Kind.HARD_LINK):
        return f"is a hard link to {member.link!r}, which is no file before it in the archive"
    if member.kind is Kind.SYMLINK:
        if not member.link or "\0" in member.link or len(member.link.encode(errors="surrogateescape")) > LONGEST_LINK:
            return "is a symlink to no name"
        if member.link.startswith("/"):
            return f"is a symlink to the absolute name {member.link!r}"
    return ""


def _leaves(member: Member, links: Mapping[str, str], top: int) -> bool:
    """Whether following a symlink, and the archive's own symlinks on its way, goes above the tree, whose paths have
    at least `top` words."""
    here = member.path.split("/")[:-1]
    ahead = member.link.split("/")[::-1]
    followed = 0
    while ahead:
        word = ahead.pop()
        if word in ("", "."):
            continue
        if word == "..":
            if len(here) <= top:
                return True
            here.pop()
            continue
        target = links.get("/".join([*here, word]))
        if target is None:
            here.append(word)
            continue
        followed += 1
        if followed > MOST_LINKS:
            return False
        ahead += target.split("/")[::-1]
    return False


def _refused(called: str, path: str, why: str) -> OutsideFailed:
    return OutsideFailed(
        f"{called} is not unpacked: its member {path!r} {why}",
        hint="nothing of it was written; ask for the archive where it is published",
    )


class _Headers:
    """A file for tarfile to read headers from: a read that is absurd, or goes past the end, is an error.

    tarfile itself takes a damaged length for an order, and waits for ever for bytes behind the end.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.tell, self.seek, self._read = file.tell, file.seek, file.read

    def read(self, size: int) -> bytes:
        if not 0 <= size <= LONGEST_HEADER:
            raise EOFError(f"a header of {size} bytes")
        found = self._read(size)
        if len(found) < size:
            raise EOFError("it ends too early")
        return found

    def __iter__(self) -> Iterator[bytes]:
        raise TypeError("read it by blocks")
