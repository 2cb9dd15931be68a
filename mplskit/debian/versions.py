"""Orders Debian's versions, `[EPOCH:]UPSTREAM[-REVISION]`, as dpkg does (deb-version(7))."""

import re

from packaging.version import InvalidVersion, Version


def order(version: str) -> tuple[object, ...]:
    """A key that sorts versions as `dpkg --compare-versions` does."""
    epoch, upstream, revision = split(version)
    return int(epoch), _order(upstream), _order(revision)


def split(version: str) -> tuple[str, str, str]:
    """Epoch, upstream version and revision; what is left out counts as `0`."""
    epoch, colon, rest = version.partition(":")
    if not (colon and epoch.isascii() and epoch.isdigit()):
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-")
    return epoch, upstream or revision, revision if upstream else "0"


def upstream_version(version: str) -> Version:
    """The upstream part as `packaging` orders it: `7.3~rc2` is before `7.3`; what it cannot read is before all."""
    try:
        return Version(re.split(r"[+]", split(version)[1].replace("~", "-"))[0])
    except InvalidVersion:
        return Version("0.dev0")


def fits(version: str, wanted: str) -> bool:
    """Whether a version is the one that is wanted: itself, its upstream part, or of that series (`6.12`)."""
    upstream = split(version)[1]
    return wanted in (version, upstream) or re.match(rf"{re.escape(wanted)}[.~+]", upstream) is not None


def _order(part: str) -> tuple[object, ...]:
    """Text and numbers in turn, a text first and last; `~` is before the end of a text, letters before other signs."""
    found = re.split(r"([0-9]+)", part)
    return tuple(int(piece) if index % 2 else _text(piece) for index, piece in enumerate(found))


def _text(piece: str) -> tuple[int, ...]:
    return (*(-1 if c == "~" else ord(c) if c.isalpha() else 256 + ord(c) for c in piece), 0)
