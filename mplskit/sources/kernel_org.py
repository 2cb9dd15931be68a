"""Brings the kernel and iproute2 as kernel.org publishes them, verified by their developers' signatures."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.version import Version

from mplskit import files
from mplskit.errors import Failure, OutsideFailed, WrongInput
from mplskit.progress import note, step
from mplskit.sources import keys
from mplskit.sources.download import NotThere, download, is_there, text_of
from mplskit.sources.kernel_org_list import archive_name, folder_url, parse_checksums
from mplskit.sources.kernel_org_version import version_of
from mplskit.sources.network_settings import Network, network
from mplskit.sources.signature import NOT_VERIFIED, Signer, Untrusted, tolerate, verified_text, verify
from mplskit.sources.source_cache import IPROUTE2, LINUX, Software, is_whole, tree_of
from mplskit.sources.source_spec import KernelOrg
from mplskit.sources.source_tree import SourceTree
from mplskit.sources.unpack import decompressed

CHECKSUMS = "checksums"
STABLE = "git+https://git.kernel.org/pub/scm/linux/kernel/git/stable/linux.git"


@dataclass(frozen=True)
class _Release:
    """The archive of one version, and where it is had from and put."""

    software: Software
    version: str
    spec: KernelOrg
    network: Network
    cache: Path

    @property
    def archive(self) -> str:
        return archive_name(self.software, self.version)

    @property
    def url(self) -> str:
        return f"{folder_url(self.software, self.version, self.network)}/{self.archive}"

    @property
    def signature_url(self) -> str:
        return self.url.removesuffix(".xz") + ".sign"

    @property
    def downloads(self) -> Path:
        return self.cache / "downloads"

    @property
    def record(self) -> Path:
        return self.cache / "kernel.org" / f"{self.software.name}-{self.version}.json"


def fetch(software: Software, spec: KernelOrg, cache: Path) -> SourceTree:
    """The tree of the release that a spec names, unpacked once; nothing is asked for an exact version that is there.

    Raises WrongInput (no such series, a release candidate, a wrong key file), OutsideFailed (network, signature,
    checksum, archive), MachineLacks (space, tools).
    """
    settings = network()
    release = _Release(software, version_of(software, spec, settings), spec, settings, cache)
    with files.locked(release.downloads / f".{release.archive}.lock"):
        return _recorded(release) or _fetched(release)


def _recorded(release: _Release) -> SourceTree | None:
    """The tree that an earlier run recorded, if it is whole still and its signer's keys are trusted still."""
    noted = files.read_record(release.record, "digest", "origin", "signer")
    if noted is None:
        return None
    digest, origin, signer = str(noted["digest"]), str(noted["origin"]), str(noted["signer"])
    subkey, lister, listers = (str(noted.get(name, "")) for name in ("subkey", "lister", "lister_subkey"))
    # The list of checksums is demanded as soon as its key is pinned.
    unlisted = bool(keys.fingerprints(CHECKSUMS)) and not keys.is_trusted(CHECKSUMS, lister, listers)
    trusted = keys.is_trusted(release.software.name, signer, subkey) or (not signer and release.spec.insecure)
    if not trusted or (unlisted and not release.spec.insecure) or not is_whole(release.software, digest, release.cache):
        return None
    return _tree(release, digest, origin, release.record)


def _fetched(release: _Release) -> SourceTree:
    with files.work_folder(release.downloads / f".{release.archive}.work") as folder:
        signature = _signature(release, folder)
        listed, lister = _listed_digest(release, folder)
        archive = folder / release.archive
        download(release.url, archive, release.downloads, release.network)
        digest = files.digest_file(archive)
        if listed not in (None, digest):
            raise OutsideFailed(
                f"{release.url} is not the file that kernel.org's list of checksums names",
                detail=f"listed: sha256 {listed}\nfound:  sha256 {digest}",
                hint="what was fetched is deleted; try again, or another mirror: MPLSKIT_KERNEL_MIRROR",
            )
        tar = _uncompressed(release, archive, folder)
        signer = _verified(release, tar, signature) if signature else None
        said = f"signed by {signer}" if signer else NOT_VERIFIED
        origin = f"{release.url}, {said}"
        tree = _tree(release, digest, origin, tar)
        noted = {
            "digest": digest,
            "origin": origin,
            "signer": signer.fingerprint if signer else "",
            "subkey": signer.subkey if signer else "",
            "lister": lister.fingerprint if lister else "",
            "lister_subkey": lister.subkey if lister else "",
        }
        files.write_atomically(release.record, json.dumps(noted))
        return tree


def _signature(release: _Release, folder: Path) -> Path | None:
    """The developer's signature; None when there is none, and the user wants none. Raises OutsideFailed."""
    file = folder / release.signature_url.rpartition("/")[2]
    try:
        file.write_text(text_of(release.signature_url, release.network))
    except NotThere as absent:
        if not is_there(release.url, release.network):
            raise NotThere(f"{release.url} is not there (404 Not Found)", hint=_elsewhere(release)) from None
        if not release.spec.insecure:
            raise OutsideFailed(
                f"{release.archive} has no signature: {absent.message}",
                hint="another mirror may have it: MPLSKIT_KERNEL_MIRROR; --insecure-source takes what nobody signed",
            ) from None
        note(f"! {release.archive} has no signature, and is taken all the same (--insecure-source)")
        return None
    return file


def _elsewhere(release: _Release) -> str:
    listed = "invoke kernel.list shows what is offered; a mirror (MPLSKIT_KERNEL_MIRROR) may lack some of it"
    if release.software != LINUX:
        return listed
    return f"{listed}; or take the signed git tag: --source {STABLE}@v{release.version.removesuffix('.0')}"


def _listed_digest(release: _Release, folder: Path) -> tuple[str | None, Signer | None]:
    """The archive's SHA-256 by the signed list beside it, and who signed that; None when no key for lists is pinned.

    Raises OutsideFailed.
    """
    if not keys.fingerprints(CHECKSUMS):
        return None, None
    url = f"{folder_url(release.software, release.version, release.network)}/sha256sums.asc"
    try:
        (folder / "sha256sums.asc").write_text(text_of(url, release.network))
    except NotThere as absent:
        if not release.spec.insecure:
            raise OutsideFailed(
                f"{absent.message}: the key of the lists of checksums is pinned, so there has to be one",
                hint="another mirror may have it (MPLSKIT_KERNEL_MIRROR)",
            ) from None
        note(f"! {url} is not there, and is done without (--insecure-source)")
        return None, None
    with keys.keyring(CHECKSUMS) as ring:
        text, signer = verified_text(folder / "sha256sums.asc", ring, url)
    digest = parse_checksums(text).get(release.archive)
    if digest is None:
        raise OutsideFailed(
            f"{url} does not list {release.archive}",
            hint="a mirror may lag behind for a while; try again later, or name another: MPLSKIT_KERNEL_MIRROR",
        )
    return digest, signer


def _uncompressed(release: _Release, archive: Path, folder: Path) -> Path:
    """The tar that is signed, in place of the archive that was fetched."""
    files.need_space(folder, release.software.unpacked, f"decompressing {archive.name}")
    with step(f"decompressing {archive.name}"):
        tar = decompressed(archive, folder, 2 * release.software.unpacked).rename(folder / archive.stem)
    archive.unlink(missing_ok=True)
    return tar


def _verified(release: _Release, tar: Path, signature: Path) -> Signer | None:
    """Who signed it; None for a stranger whom the user takes. Raises OutsideFailed."""
    try:
        with keys.keyring(release.software.name) as ring, step(f"verifying {tar.name}"):
            return verify(tar, signature, ring, release.archive)
    except Untrusted as error:
        tolerate(error, release.spec.insecure)
        return None


def _tree(release: _Release, digest: str, origin: str, tar: Path) -> SourceTree:
    """The unpacked tree. Raises OutsideFailed when it is another version: a signature does not cover a file's name."""

    def version(tree: Path, called: str) -> str:
        try:
            found = release.software.version(tree, called)
        except WrongInput as wrong:
            raise OutsideFailed(wrong.message, detail=wrong.detail) from None
        if found != release.version and not _misnumbered(release):
            raise _another(release, found)
        return release.version

    tree = tree_of(
        replace(release.software, version=version), release.spec, digest, origin, release.cache, lambda folder: tar
    )
    if tree.version != release.version and not _misnumbered(release):
        raise _another(release, tree.version)
    return tree


def _misnumbered(release: _Release) -> bool:
    """Whether the version inside may be an earlier one: iproute2 updates it at every release since 5.11 only."""
    return release.software == IPROUTE2 and Version(release.version) < Version("5.11")


def _another(release: _Release, found: str) -> Failure:
    return OutsideFailed(
        f"{release.url} holds {release.software.name} {found}, not {release.version}",
        hint="nothing of it was used; try another mirror (MPLSKIT_KERNEL_MIRROR), and be suspicious of this one",
    )
