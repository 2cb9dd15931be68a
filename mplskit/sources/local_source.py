"""Takes a source from this machine's own disk: an archive, or an unpacked tree."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mplskit import files
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.progress import step
from mplskit.sources import keys
from mplskit.sources.signature import NOT_VERIFIED, Fault, Untrusted, tolerate, verify
from mplskit.sources.source_cache import Software, tree_of
from mplskit.sources.source_spec import ArchiveFile, Tree
from mplskit.sources.source_tree import SourceTree
from mplskit.sources.unpack import decompressed

SIGNATURES = (".asc", ".sig", ".sign")


def fetch_archive(software: Software, spec: ArchiveFile, cache: Path) -> SourceTree:
    """The tree of an archive that the user vouches for by its digest, or a pinned key by a signature beside it.

    Raises WrongInput (no such file), OutsideFailed (not the one with the given digest, not signed, hostile).
    """
    if not spec.path.is_file():
        raise WrongInput(f"source {spec}: there is no file {spec.path.absolute()}")
    digest = files.digest_file(spec.path)
    if spec.sha256 not in (None, digest):
        raise OutsideFailed(
            f"source {spec.path} is not the archive that was asked for",
            detail=f"asked: sha256 {spec.sha256}\nfound: sha256 {digest}",
            hint="get the archive again, or give the digest of this one",
        )
    with _work(cache, digest) as folder:
        verified = "sha256 as given" if spec.sha256 else _vouched(software, spec, digest, cache, folder)
        origin = f"file {spec.path.absolute()}, {verified}"
        return tree_of(software, spec, digest, origin, cache, lambda _: _brought(spec.path, digest, folder))


def fetch_tree(software: Software, spec: Tree) -> SourceTree:
    """A tree where it lies: the user's own work, which nobody else vouches for. Raises WrongInput when it is none."""
    if not spec.path.is_dir():
        raise WrongInput(f"source {spec}: there is no folder {spec.path.absolute()}")
    path = spec.path.resolve()
    version = software.version(path, f"source {spec}")
    with step(f"taking the digest of {path}"):
        digest = files.digest_tree(path)
    return SourceTree(software.name, version, str(spec), f"tree {path}", digest, path)


def signature_of(archive: Path) -> tuple[Path, bool] | None:
    """The detached signature that lies beside an archive, and whether it signs the uncompressed tar, as kernel.org's
    `linux-6.12.tar.sign` does beside `linux-6.12.tar.xz`."""
    beside = [(archive.with_name(archive.name + end), False) for end in SIGNATURES]
    if archive.stem.endswith(".tar"):
        beside += [(archive.with_name(archive.stem + end), True) for end in SIGNATURES]
    return next((found for found in beside if found[0].is_file()), None)


def _vouched(software: Software, spec: ArchiveFile, digest: str, cache: Path, folder: Path) -> str:
    """How the archive was verified. Raises OutsideFailed when nothing vouches for it."""
    record = cache / "signed" / f"{software.name}-{digest[:24]}.json"
    noted = files.read_record(record, "signer", "verified")
    if noted and keys.is_trusted(software.name, str(noted["signer"]), str(noted.get("subkey", ""))):
        return str(noted["verified"])
    signature = signature_of(spec.path)
    if signature is None:
        if spec.insecure:
            return NOT_VERIFIED
        raise OutsideFailed(
            f"source {spec}: nothing says that this is the archive you mean",
            detail=f"found: sha256 {digest}",
            hint=f"compare the digest with its publisher's and say so: --source file:{spec.path}#sha256={digest}; "
            f"or put the publisher's signature beside it ({spec.path.name}.asc); "
            "or take it as it is: --insecure-source",
        )
    file, of_tar = signature
    archive = _brought(spec.path, digest, folder)
    if of_tar:
        files.need_space(folder, software.unpacked, f"decompressing {archive.name}")
        with step(f"decompressing {archive.name}"):
            tar = decompressed(archive, folder, 2 * software.unpacked)
        if tar != archive:
            archive.unlink()
        archive = tar.rename(folder / spec.path.stem)
    try:
        with keys.keyring(software.name) as ring:
            signer = verify(archive, file.absolute(), ring, spec.path.name)
    except Untrusted as error:
        if error.fault is Fault.BAD:
            error.hint = f"get both again: {spec.path.name} and {file.name}"
        tolerate(error, spec.insecure)
        return NOT_VERIFIED
    verified = f"signed by {signer}"
    vouched = {"signer": signer.fingerprint, "subkey": signer.subkey, "verified": verified}
    files.write_atomically(record, json.dumps(vouched))
    return verified


@contextmanager
def _work(cache: Path, digest: str) -> Iterator[Path]:
    folder = cache / "downloads" / f".{digest[:24]}.work"
    with files.locked(folder.with_suffix(".lock")), files.work_folder(folder):
        yield folder


def _brought(archive: Path, digest: str, folder: Path) -> Path:
    """What is unpacked: our own copy, which nobody changes between its judgement and that; its tar when that is there.

    Raises OutsideFailed when the archive has changed meanwhile.
    """
    found = next(folder.iterdir(), None)
    if found:
        return found
    files.need_space(folder, archive.stat().st_size, f"copying {archive.name}")
    copy = files.copy_atomically(archive, folder / archive.name)
    if files.digest_file(copy) != digest:
        raise OutsideFailed(f"{archive} was changed while it was read", hint="try again when it is whole")
    return copy
