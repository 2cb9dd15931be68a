"""Brings a source of iproute2: Debian's source package, or upstream's tree."""

import json
import shutil
from pathlib import Path

from mplskit import files, process
from mplskit.debian.apt_root import UPDATE
from mplskit.debian.suite_roots import source_root
from mplskit.debian.versions import fits, order
from mplskit.errors import OutsideFailed
from mplskit.progress import step
from mplskit.sources import git_source, kernel_org, local_source
from mplskit.sources.debian_source import not_offered
from mplskit.sources.source_cache import IPROUTE2, place
from mplskit.sources.source_spec import ArchiveFile, Debian, Git, KernelOrg, Spec, Tree
from mplskit.sources.source_tree import SourceTree

PACKAGE = "iproute2"


def fetch_iproute2(spec: Spec, cache: Path) -> SourceTree:
    """The tree that a spec names, verified, and unpacked once into the cache; Debian's has Debian's packaging in it.

    Raises WrongInput (no such path or version, no iproute2), OutsideFailed (mirror, signature, archive), MachineLacks.
    """
    match spec:
        case Debian():
            return _fetch_debian(spec, cache)
        case KernelOrg():
            return kernel_org.fetch(IPROUTE2, spec, cache)
        case Git():
            return git_source.fetch(IPROUTE2, spec, cache)
        case ArchiveFile():
            return local_source.fetch_archive(IPROUTE2, spec, cache)
        case Tree():
            return local_source.fetch_tree(IPROUTE2, spec)


def version_meant(versions: list[str], spec: Debian) -> str:
    """The newest version that fits a spec. Raises WrongInput when none does, OutsideFailed when there is none."""
    if not versions:
        raise OutsideFailed(
            f"{spec.suite or 'this machine'}'s Debian archives offer no source package {PACKAGE}", hint=UPDATE
        )
    fitting = [version for version in versions if spec.version is None or fits(version, spec.version)]
    if not fitting:
        raise not_offered(spec, versions)
    return max(fitting, key=order)


def _fetch_debian(spec: Debian, cache: Path) -> SourceTree:
    root = source_root(cache, spec.suite)
    version = version_meant(root.source_versions(PACKAGE), spec)
    digest = next(file.sha256 for file in root.source_files(PACKAGE, version) if file.name.endswith(".dsc"))
    target = place(IPROUTE2, digest, cache)

    def build(folder: Path) -> None:
        (folder / "download").mkdir()
        with step(f"fetching the source package {PACKAGE} {version}"):
            description = root.download_source(PACKAGE, version, folder / "download")
        # The signatures that count were apt's: --no-check is about the uploader's, whose key hardly anyone has.
        argv: list[str | Path] = ["dpkg-source", "--no-check", "--extract", description, folder / "tree"]
        process.run(argv, cwd=folder, failure=OutsideFailed)
        shutil.rmtree(folder / "download")
        (folder / "source.json").write_text(json.dumps({"version": version}))

    files.build_once(target, build)
    origin = f"Debian source package {PACKAGE} {version}, verified by apt"
    return SourceTree(PACKAGE, version, str(spec), origin, digest, target / "tree")
