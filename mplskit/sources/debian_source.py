"""Brings Debian's kernel source: the package linux-source-X.Y of this machine's suite, or of another."""

from pathlib import Path

from packaging.version import Version

from mplskit.address_logins import bare
from mplskit.debian.apt_root import UPDATE, Offer, Root
from mplskit.debian.archives import repositories
from mplskit.debian.package_file import extract
from mplskit.debian.suite_roots import suite_root
from mplskit.debian.versions import fits, order
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import step
from mplskit.sources.source_cache import LINUX, tree_of
from mplskit.sources.source_spec import Debian
from mplskit.sources.source_tree import SourceTree

PACKAGES = r"^linux-source-[0-9]+\.[0-9]+$"


def newest(found: list[Offer]) -> Offer:
    """The first offer of the highest kernel series. Raises OutsideFailed when there is none."""
    if not found:
        raise OutsideFailed("this machine's apt offers no linux-source package", hint=UPDATE)
    return max(found, key=lambda offer: Version(offer.package.removeprefix("linux-source-")))


def offer_meant(found: list[Offer], spec: Debian) -> Offer:
    """The newest offer that fits a spec. Raises WrongInput with what is offered when none does."""
    fitting = [offer for offer in found if spec.version is None or fits(offer.version, spec.version)]
    if found and not fitting:
        raise not_offered(spec, [offer.version for offer in found])
    return newest(fitting)


def debians_own(root: Root, found: list[Offer]) -> list[Offer]:
    """Those offers of the host's apt that come from an archive whose Release says `Origin: Debian`.

    Raises OutsideFailed when there are others alone: apt trusts their archives, and they are not what `debian` means.
    """
    # apt-cache shows no login.
    own_places = ((bare(repository.uri).rstrip("/"), repository.release) for repository in repositories())
    debian = set(own_places if found else ())
    places = root.places(sorted({offer.package for offer in found}))
    # Of a version that another archive has, too, apt may take the file from there.
    own = [offer for offer in found if debian >= places.get((offer.package, offer.version), {("", "")})]
    if found and not own:
        others = sorted({f"{uri} {suite}" for there in places.values() for uri, suite in there})
        raise OutsideFailed(
            "no archive of Debian's own offers this machine a linux-source package; others do",
            detail="\n".join(others),
            hint="name the source otherwise (file:PATH, kernel.org:VERSION), or add a Debian mirror to apt's sources, "
            f"and {UPDATE}",
        )
    return own


def not_offered(spec: Debian, versions: list[str]) -> WrongInput:
    """The error for a version that a suite does not have, with those that it has."""
    return WrongInput(
        f"source {spec}: {spec.suite} has no version {spec.version}",
        detail="\n".join(["offered:", *sorted(set(versions), key=order, reverse=True)]),
        hint=f"for example: debian:{spec.suite}/{max(versions, key=order)}",
    )


def fetch_linux(spec: Debian, cache: Path) -> SourceTree:
    """The tree of the newest linux-source package that fits the spec.

    Raises WrongInput (no such version), OutsideFailed (mirror, signature, digest).
    """
    root = suite_root(cache, spec.suite)
    found = root.offers(PACKAGES)
    offer = offer_meant(found if spec.suite else debians_own(root, found), spec)

    def package_in(folder: Path) -> Path:
        with step(f"fetching {offer.package} {offer.version}"):
            package = root.download(offer, folder)
        extract(package, folder, failure=OutsideFailed)
        return next(folder.glob("usr/src/linux-source-*.tar.*"))

    origin = f"Debian package {offer.package} {offer.version}, verified by apt"
    return tree_of(LINUX, spec, offer.sha256, origin, cache, package_in)
