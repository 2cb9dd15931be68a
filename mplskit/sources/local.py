"""Takes a source from this machine's own disk: an archive, or an unpacked tree."""

from pathlib import Path

from mplskit import files
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import step
from mplskit.sources.cached import Software, tree_of
from mplskit.sources.spec import Archive, Tree
from mplskit.sources.tree import SourceTree


def fetch_archive(software: Software, spec: Archive, cache: Path) -> SourceTree:
    """The tree of an archive. Raises WrongInput (no such file), OutsideFailed (not the one with the given digest)."""
    if not spec.path.is_file():
        raise WrongInput(f"source {spec}: there is no file {spec.path.absolute()}")
    digest = files.digest_file(spec.path)
    if spec.sha256 not in (None, digest):
        raise OutsideFailed(
            f"source {spec.path} is not the archive that was asked for",
            detail=f"asked: sha256 {spec.sha256}\nfound: sha256 {digest}",
            hint="get the archive again, or give the digest of this one",
        )
    if spec.sha256 is None and not spec.insecure:
        raise OutsideFailed(
            f"source {spec}: nothing says that this is the archive you mean",
            detail=f"found: sha256 {digest}",
            hint=f"compare the digest with its publisher's and say so: --source file:{spec.path}#sha256={digest}; "
            "or take it as it is: --insecure-source",
        )
    verified = "sha256 as given" if spec.sha256 else "not verified (--insecure-source)"
    origin = f"file {spec.path.absolute()}, {verified}"
    return tree_of(software, spec, digest, origin, cache, lambda folder: spec.path)


def fetch_tree(software: Software, spec: Tree) -> SourceTree:
    """A tree where it lies: the user's own work, which nobody else vouches for. Raises WrongInput when it is none."""
    if not spec.path.is_dir():
        raise WrongInput(f"source {spec}: there is no folder {spec.path.absolute()}")
    path = spec.path.resolve()
    version = software.version(path, f"source {spec}")
    if (path / ".config").exists() or (path / "include/config").exists():
        raise WrongInput(
            f"source {spec}: the tree has been built in, and an out-of-tree build would refuse it",
            hint=f"`make -C {path} mrproper` cleans it (mplskit never writes to it)",
        )
    with step(f"taking the digest of {path}"):
        digest = files.digest_tree(path)
    return SourceTree(software.name, version, str(spec), f"tree {path}", digest, path)
