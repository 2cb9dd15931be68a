"""Brings Debian's kernel source: the package linux-source-X.Y of this machine's suite, or of another."""

from pathlib import Path

from packaging.version import Version

from mplskit import process
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import step
from mplskit.sources import apt
from mplskit.sources.cached import LINUX, tree_of
from mplskit.sources.spec import Debian
from mplskit.sources.tree import SourceTree

PACKAGES = r"^linux-source-[0-9]+\.[0-9]+$"


def newest(found: list[apt.Offer]) -> apt.Offer:
    """The offer with the highest kernel series. Raises OutsideFailed when there is none."""
    if not found:
        raise OutsideFailed("this machine's apt offers no linux-source package", hint=apt.UPDATE)
    return max(found, key=lambda offer: Version(offer.package.removeprefix("linux-source-")))


def fetch_linux(spec: Debian, cache: Path) -> SourceTree:
    """The tree of the newest linux-source package that fits the spec."""
    if spec.suite:
        raise WrongInput(f"source {spec}: cannot be had from there")
    offer = newest(apt.offers(PACKAGES))

    def package_in(folder: Path) -> Path:
        with step(f"fetching {offer.package} {offer.version}"):
            package = apt.download(offer, folder)
        process.run(["dpkg-deb", "--extract", package, folder], failure=OutsideFailed)
        return next(folder.glob("usr/src/linux-source-*.tar.*"))

    origin = f"Debian package {offer.package} {offer.version}, verified by apt"
    return tree_of(LINUX, spec, offer.sha256, origin, cache, package_in)
