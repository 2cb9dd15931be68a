"""The releases of Linux that a setting is for: symbols come, go and are renamed."""

import re

Release = tuple[int, int]

_RELEASE = re.compile(r"([0-9]+)\.([0-9]+)(?![0-9])")
_WHOLE = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")


def parse_release(text: str) -> Release | None:
    """`5.19` as a pair of numbers, or None for anything else."""
    found = _WHOLE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else None


def release_of(version: str) -> Release:
    """The release that a kernel version belongs to: `6.1.192` and `6.1-rc3` belong to 6.1.

    Raises ValueError for what does not begin with two numbers.
    """
    found = _RELEASE.match(version)
    if not found:
        raise ValueError(f"{version!r} is no kernel version")
    return int(found[1]), int(found[2])


def release_text(release: Release) -> str:
    """A release as people write it."""
    return f"{release[0]}.{release[1]}"
