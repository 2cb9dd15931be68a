"""What can be written after `--source`: the versions that sources offer now, and which sources could not be asked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from mplskit.debian.apt_root import UPDATE
from mplskit.debian.archives import repositories
from mplskit.debian.suite_roots import cached_suites, source_root, suite_root
from mplskit.debian.suites import POCKETS, SUITES
from mplskit.debian.versions import order, upstream_version
from mplskit.errors import Failure, OutsideFailed, WrongInput
from mplskit.sources import debian_source, iproute2_source, kernel_org_list
from mplskit.sources.network_settings import network
from mplskit.sources.source_cache import LINUX, Software
from mplskit.sources.source_spec import Debian, parse_spec

KERNEL_ORG = "kernel.org"
# Without being asked for by name, a source that does not answer soon is passed over (seconds).
SOON = 10.0


@dataclass(frozen=True)
class Offered:
    """A version: the spec that names it, where it is from (an archive, or what kernel.org calls it), its ISO date."""

    spec: str
    version: str
    origin: str
    released: str = ""


@dataclass(frozen=True)
class Failed:
    """A source that could not be asked, and why."""

    source: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """What is offered, newest first, and which sources failed."""

    offers: tuple[Offered, ...]
    failed: tuple[Failed, ...]


def listing(software: Software, source: str, cache: Path) -> Listing:
    """What a source offers: `debian`, `debian:SUITE` or `kernel.org`.

    Without one: what this machine's apt offers, the suites whose lists are in the cache, and kernel.org.
    Raises WrongInput for another source; when all sources failed, what the first one raised.
    """
    names = [_checked(source)] if source else _usual(cache)
    offers: list[Offered] = []
    failures: list[tuple[str, Failure]] = []
    for name in names:
        try:
            offers += _offered(software, name, cache, patient=bool(source))
        except Failure as failure:
            failures.append((name, failure))
    if failures and len(failures) == len(names):
        raise failures[0][1]
    failed = tuple(Failed(name, failure.message) for name, failure in failures)
    return Listing(tuple(sorted(dict.fromkeys(offers), key=_order, reverse=True)), failed)


def _usual(cache: Path) -> list[str]:
    return ["debian", *(f"debian:{suite}" for suite in cached_suites(cache)), KERNEL_ORG]


def _checked(source: str) -> str:
    if source == KERNEL_ORG:
        return source
    spec = parse_spec(source) if source.startswith("debian") else None
    if not isinstance(spec, Debian) or spec.version:
        raise WrongInput(
            f"--source {source}: not a source that can be listed",
            hint=f"allowed: debian, debian:SUITE ({', '.join(SUITES)}) or kernel.org",
        )
    return source


def _offered(software: Software, source: str, cache: Path, *, patient: bool) -> list[Offered]:
    if source == KERNEL_ORG:
        settings = network()
        if not patient:
            settings = replace(settings, tries=1, timeout=min(settings.timeout, SOON))
        return [
            Offered(f"{KERNEL_ORG}:{one.version}", one.version, _kind(one), one.released)
            for one in kernel_org_list.offers(software, settings)
        ]
    spec = parse_spec(source)
    assert isinstance(spec, Debian)
    found = _kernels(spec, cache) if software == LINUX else _source_packages(spec, cache)
    if not found:
        raise OutsideFailed(f"{source} offers no {software.name}", hint=UPDATE)
    if spec.suite:
        return [Offered(f"{source}/{version}", version, archive) for version, archive in found]
    # `debian` names the first; the others are named by their suite.
    return [Offered(source, *found[0]), *_of_suites(found[1:])]


def _kind(release: kernel_org_list.Release) -> str:
    return f"{KERNEL_ORG}, {release.kind}" + (", no longer maintained" if release.eol else "")


def _kernels(spec: Debian, cache: Path) -> list[tuple[str, str]]:
    """(version, archive) of each linux-source package that is offered; the one first that the spec names."""
    root = suite_root(cache, spec.suite)
    found = root.offers(debian_source.PACKAGES)
    archives = root.archives(sorted({offer.package for offer in found}))
    first = debian_source.newest(found)
    ordered = [first, *(offer for offer in found if offer != first)]
    return [(offer.version, archives.get((offer.package, offer.version), "")) for offer in ordered]


def _source_packages(spec: Debian, cache: Path) -> list[tuple[str, str]]:
    root = source_root(cache, spec.suite)
    archives = root.archives([iproute2_source.PACKAGE])
    versions = root.source_versions(iproute2_source.PACKAGE)
    return [(version, archives.get((iproute2_source.PACKAGE, version), "")) for version in versions]


def _of_suites(found: list[tuple[str, str]]) -> Iterator[Offered]:
    """Versions of the host's archives by the suites that have them; backports and others' archives are in no suite."""
    codenames = {repository.release: repository.codename for repository in repositories()}
    for version, archive in found:
        suite, dash, pocket = codenames.get(archive, archive).partition("-")
        if suite in SUITES and dash + pocket in POCKETS:
            yield Offered(f"debian:{suite}/{version}", version, archive)


def _order(offered: Offered) -> tuple[Version, object, int]:
    # Debian's way of writing kernel.org's 6.13-rc2.
    version = offered.version.replace("-rc", "~rc")
    return upstream_version(version), order(version), -len(offered.spec)
