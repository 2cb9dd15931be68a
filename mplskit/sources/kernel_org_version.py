"""Which release a `kernel.org:…` spec means."""

import re

from mplskit.errors import OutsideFailed, WrongInput
from mplskit.sources.download import NotThere
from mplskit.sources.kernel_org_list import Release, checksums_of, releases, series_of, versions
from mplskit.sources.network_settings import Network
from mplskit.sources.source_cache import LINUX, Software
from mplskit.sources.source_spec import KernelOrg

TORVALDS = "git+https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git"
_KINDS = ("stable", "longterm", "mainline")


def version_of(software: Software, spec: KernelOrg, network: Network) -> str:
    """The exact version (three numbers) of a spec; kernel.org is asked unless the spec has it already.

    Raises WrongInput (no such series, a release candidate), OutsideFailed.
    """
    wanted = spec.wanted
    exact = _parse(software, spec)
    if exact:
        return exact
    if software != LINUX:
        found = versions(software, list(checksums_of(software, settings=network)))
        return newest(spec, found if wanted == "stable" else _of_series(found, wanted), found)
    listed = releases(network)
    if wanted in _KINDS:
        return _full(_of_kind(spec, listed))
    found = _of_series([release.version for release in listed if "-rc" not in release.version], wanted)
    if found:
        return _full(found[0])
    candidate = next((one.version for one in listed if series_of(one.version) == wanted), "")
    if candidate:
        raise refused_candidate(spec, candidate)
    # What is no longer maintained is not listed on the front page, and still there.
    try:
        older = versions(software, list(checksums_of(software, wanted, network)))
    except NotThere:
        older = []
    return newest(spec, _of_series(older, wanted), [release.version for release in listed])


def newest(spec: KernelOrg, found: list[str], offered: list[str]) -> str:
    """The first of the versions found, newest first. Raises WrongInput with what is offered when there is none."""
    if not found:
        raise WrongInput(
            f"source {spec}: kernel.org offers nothing of the series {spec.wanted}",
            detail="\n".join(["offered:", *offered[:12]]),
            hint="invoke kernel.list shows what there is",
        )
    return found[0]


def refused_candidate(spec: KernelOrg, version: str) -> WrongInput:
    """The error for a release candidate, whose archives nobody signs."""
    base, _, number = version.partition("-rc")
    if base.count(".") == 1:
        hint = f"take the signed git tag: --source {TORVALDS}@v{version}"
    else:
        hint = f"take a release: --source kernel.org:{series_of(base)}"
    now = ":" if spec.wanted == version else f" is now {version},"
    return WrongInput(
        f"source {spec}{now} release candidate {number} of {base}",
        detail="the archives of release candidates carry no signature since 4.12",
        hint=hint,
    )


def _parse(software: Software, spec: KernelOrg) -> str:
    """The exact version that a spec gives, or nothing for a series or a kind. Raises WrongInput."""
    wanted = spec.wanted
    if "-rc" in wanted:
        if software != LINUX:
            raise WrongInput(
                f"source {spec}: {software.name} has no signed release candidates", hint=_allowed(software)
            )
        raise refused_candidate(spec, wanted)
    if wanted in _KINDS:
        if software != LINUX and wanted != "stable":
            raise WrongInput(f"source {spec}: {software.name} has no {wanted} releases", hint=_allowed(software))
        return ""
    found = re.fullmatch(r"([0-9]{1,5})\.([0-9]{1,5})(?:\.([0-9]{1,5}))?", wanted, re.ASCII)
    if not found or int(found[1]) < 3:
        raise WrongInput(f"source {spec}: not a version of {software.name} that can be had", hint=_allowed(software))
    return wanted if found[3] else ""


def _allowed(software: Software) -> str:
    kinds = "stable, longterm, mainline" if software == LINUX else "stable"
    return f"allowed: a series (6.12), an exact version (6.12.0), {kinds}; MPLS by routes needs 4.3 or later"


def _of_kind(spec: KernelOrg, listed: list[Release]) -> str:
    if spec.wanted == "mainline":
        kinds = {"mainline"}
    else:
        # A new release is mainline until the next candidate is out, and the newest stable kernel all the same.
        kinds = {"stable", "mainline"} if spec.wanted == "stable" else {spec.wanted}
    fitting = [one.version for one in listed if one.kind in kinds and not one.eol]
    final = [version for version in fitting if "-rc" not in version]
    if spec.wanted == "mainline" and fitting and "-rc" in fitting[0]:
        raise refused_candidate(spec, fitting[0])
    if not final:
        raise OutsideFailed(f"source {spec}: kernel.org lists no {spec.wanted} kernel", hint="invoke kernel.list")
    return final[0]


def _of_series(found: list[str], series: str) -> list[str]:
    return [version for version in found if series_of(version) == series]


def _full(version: str) -> str:
    return version if version.count(".") == 2 else f"{version}.0"
