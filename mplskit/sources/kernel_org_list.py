"""What kernel.org offers: versions out of releases.json and of the signed lists of checksums."""

import json
import re
from dataclasses import dataclass

from packaging.version import Version

from mplskit.errors import OutsideFailed
from mplskit.sources.download import text_of
from mplskit.sources.network_settings import Network, network
from mplskit.sources.source_cache import LINUX, Software

_VERSION = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){1,2}(-rc[0-9]{1,3})?", re.ASCII)
_ARCHIVE = re.compile(r"(?P<name>linux|iproute2)-(?P<version>[0-9][0-9.]*)\.tar\.xz", re.ASCII)


@dataclass(frozen=True)
class Release:
    """One release that is offered: `kind` is mainline, stable or longterm; `released` is an ISO date, or empty."""

    version: str
    kind: str
    released: str
    eol: bool


def offers(software: Software, settings: Network | None = None) -> list[Release]:
    """What is offered now, newest first. Raises OutsideFailed."""
    if software == LINUX:
        return releases(settings)
    return newest_of_series(software, checksums_of(software, settings=settings))


def releases(settings: Network | None = None) -> list[Release]:
    """The kernels that kernel.org lists on its front page, newest first. Raises OutsideFailed."""
    settings = settings or network()
    return parse_releases(text_of(settings.releases, settings), settings.releases)


def parse_releases(text: str, called: str = "releases.json") -> list[Release]:
    """The releases of a releases.json, newest first; linux-next, which has no archive, is left out.

    Raises OutsideFailed for anything else than such a list.
    """
    try:
        listed = [_release(entry) for entry in json.loads(text)["releases"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise OutsideFailed(
            f"{called} is no list of kernel releases",
            detail="\n".join(line[:100] for line in text.splitlines()[:5] if line.isprintable()),
            hint="look at MPLSKIT_KERNEL_RELEASES, and at a proxy that may answer with a page of its own",
        ) from None
    found = [release for release in listed if _VERSION.fullmatch(release.version)]
    return sorted(found, key=lambda release: Version(release.version), reverse=True)


def parse_checksums(text: str) -> dict[str, str]:
    """The SHA-256 (hex) of each file in a list of lines `DIGEST  NAME`; all other lines are left out."""
    rows = (line.split() for line in text.splitlines())
    return {row[1]: row[0] for row in rows if len(row) == 2 and re.fullmatch(r"[0-9a-f]{64}", row[0])}


def archive_name(software: Software, version: str) -> str:
    """The name of a release's archive: `linux-6.12.tar.xz` for the kernel 6.12.0, which kernel.org names so."""
    first = software == LINUX and version.count(".") == 2 and version.endswith(".0")
    return f"{software.name}-{version.removesuffix('.0') if first else version}.tar.xz"


def folder_url(software: Software, version: str, settings: Network) -> str:
    """Where the releases of a version's line are, as kernel.org has them."""
    if software == LINUX:
        return f"{settings.mirror}/kernel/v{version.partition('.')[0]}.x"
    return f"{settings.mirror}/utils/net/iproute2"


def versions(software: Software, names: list[str]) -> list[str]:
    """The versions of all archives among some names, newest first; the kernel's `6.12` is written `6.12.0`."""
    found = (_ARCHIVE.fullmatch(name) for name in names)
    plain = [one["version"] for one in found if one and one["name"] == software.name]
    kept = {_full(software, version) for version in plain if _VERSION.fullmatch(version)}
    return sorted(kept, key=Version, reverse=True)


def checksums_of(software: Software, version: str = "", settings: Network | None = None) -> dict[str, str]:
    """The list of checksums beside a version's archives, unverified. Raises OutsideFailed."""
    settings = settings or network()
    return parse_checksums(text_of(f"{folder_url(software, version, settings)}/sha256sums.asc", settings))


def newest_of_series(software: Software, checksums: dict[str, str]) -> list[Release]:
    """The newest release of each series that a list of checksums names, newest first."""
    newest: dict[str, str] = {}
    for version in versions(software, list(checksums)):
        newest.setdefault(series_of(version), version)
    return [Release(version, "stable", "", number > 0) for number, version in enumerate(newest.values())]


def series_of(version: str) -> str:
    """`6.12` of `6.12.48`."""
    return ".".join(version.partition("-")[0].split(".")[:2])


def _full(software: Software, version: str) -> str:
    return f"{version}.0" if software == LINUX and version.count(".") == 1 and "-" not in version else version


def _release(entry: object) -> Release:
    if not isinstance(entry, dict):
        raise TypeError(entry)
    released = entry.get("released")
    date = released.get("isodate") if isinstance(released, dict) else ""
    return Release(str(entry["version"]), str(entry["moniker"]), str(date or ""), entry.get("iseol") is True)
