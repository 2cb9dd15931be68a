"""Brings a kernel source: a spec goes in, a verified tree comes out."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from packaging.version import Version

from mplskit import files, process
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import step
from mplskit.sources import apt
from mplskit.sources.spec import Archive, Debian, Spec, Tree
from mplskit.sources.tree import SourceTree, kernel_version
from mplskit.sources.unpack import unpack

PACKAGES = r"^linux-source-[0-9]+\.[0-9]+$"
UNPACKED = 2 << 30


def fetch_kernel(spec: Spec, cache: Path) -> SourceTree:
    """The tree that a spec names, unpacked once into the cache.

    Raises WrongInput (no such path, no kernel), OutsideFailed (mirror, damaged or wrong archive), MachineLacks (space).
    """
    match spec:
        case Debian():
            return _debian(spec, cache)
        case Archive():
            return _archive(spec, cache)
        case Tree():
            return _tree(spec)


def newest(found: list[apt.Offer]) -> apt.Offer:
    """The offer with the highest kernel series. Raises OutsideFailed when there is none."""
    if not found:
        raise OutsideFailed("this machine's apt offers no linux-source package", hint=apt.UPDATE)
    return max(found, key=lambda offer: Version(offer.package.removeprefix("linux-source-")))


def _debian(spec: Debian, cache: Path) -> SourceTree:
    offer = newest(apt.offers(PACKAGES))

    def unpack_package(folder: Path) -> Path:
        with step(f"fetching {offer.package} {offer.version}"):
            package = apt.download(offer, folder)
        process.run(["dpkg-deb", "--extract", package, folder], failure=OutsideFailed)
        return next(folder.glob("usr/src/linux-source-*.tar.*"))

    origin = f"Debian package {offer.package} {offer.version}, verified by apt"
    return _cached(spec, offer.sha256, origin, cache, unpack_package)


def _archive(spec: Archive, cache: Path) -> SourceTree:
    if not spec.path.is_file():
        raise WrongInput(f"source {spec}: there is no file {spec.path.absolute()}")
    digest = files.digest_file(spec.path)
    if spec.sha256 not in (None, digest):
        raise OutsideFailed(
            f"source {spec.path} is not the archive that was asked for",
            detail=f"asked: sha256 {spec.sha256}\nfound: sha256 {digest}",
            hint="get the archive again, or give the digest of this one",
        )
    origin = f"file {spec.path.absolute()}" + (", sha256 as given" if spec.sha256 else ", digest not given")
    return _cached(spec, digest, origin, cache, lambda folder: spec.path)


def _tree(spec: Tree) -> SourceTree:
    if not spec.path.is_dir():
        raise WrongInput(f"source {spec}: there is no folder {spec.path.absolute()}")
    path = spec.path.resolve()
    version = kernel_version(path, f"source {spec}")
    if (path / ".config").exists() or (path / "include/config").exists():
        raise WrongInput(
            f"source {spec}: the tree has been built in, and an out-of-tree build would refuse it",
            hint=f"`make -C {path} mrproper` cleans it (mplskit never writes to it)",
        )
    with step(f"taking the digest of {path}"):
        digest = files.digest_tree(path)
    return SourceTree("linux", version, str(spec), f"tree {path}", digest, path)


def _cached(spec: Spec, digest: str, origin: str, cache: Path, archive_in: Callable[[Path], Path]) -> SourceTree:
    target = cache / "sources" / f"linux-{digest[:24]}"

    def build(folder: Path) -> None:
        files.need_space(folder, UNPACKED, "unpacking a kernel source")
        (folder / "download").mkdir()
        (folder / "unpacked").mkdir()
        archive = archive_in(folder / "download")
        with step(f"unpacking {archive.name}"):
            tree = unpack(archive, folder / "unpacked")
        version = kernel_version(tree, f"source {spec}")
        tree.rename(folder / "linux")
        shutil.rmtree(folder / "download")
        if (folder / "unpacked").exists():
            (folder / "unpacked").rmdir()
        (folder / "source.json").write_text(json.dumps({"version": version, "digest": digest, "origin": origin}))

    files.build_once(target, build)
    version = json.loads((target / "source.json").read_text())["version"]
    return SourceTree("linux", version, str(spec), origin, digest, target / "linux")
