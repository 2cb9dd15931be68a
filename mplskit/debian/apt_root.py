"""What an apt root offers, and what is fetched through it: the host's own apt, or a private root with other lists."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process
from mplskit.debian.deb822 import stanzas
from mplskit.debian.names import PACKAGE
from mplskit.debian.versions import order
from mplskit.errors import MachineLacks, OutsideFailed, WrongInput

UPDATE = "apt-get update"
# A private root's settings.
CONF = "apt.conf"
# apt warns when its sandbox user cannot write to the folder that it is told to download to.
UNBOXED = "APT::Sandbox::User=root"
# Whatever the host allows itself.
SIGNED = "APT::Get::AllowUnauthenticated=false"


@dataclass(frozen=True)
class Offer:
    """A version of a package that apt offers, and the SHA-256 of its file."""

    package: str
    version: str
    sha256: str


@dataclass(frozen=True)
class SourcePackageFile:
    """One file of a source package and its SHA-256."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Root:
    """The host's own apt (no `folder`), or a private root that has sources and lists of its own in `folder`.

    Everything else (proxy, keys, settings) is the host's in both.
    """

    name: str
    folder: Path | None = None

    def argv(self, tool: str, *words: str) -> list[str]:
        """A command line of `apt-get` or `apt-cache` that sees this root alone."""
        own = ("-c", f"{self.folder}/{CONF}") if self.folder else ("-o", UNBOXED, "-o", SIGNED)
        return [tool, "-q", *own, *words]

    def offers(self, pattern: str) -> list[Offer]:
        """All packages whose name matches a regular expression; of each the candidate first, then by version, newest
        first."""
        found = self._ask("apt-cache", "search", "--names-only", pattern)
        names = [line.split(" - ")[0] for line in found.splitlines()]
        if not names:
            return []
        candidates = _offers(self._ask("apt-cache", "show", "--no-all-versions", *names))
        everything = _offers(self._ask("apt-cache", "show", "--all-versions", *names))
        return sorted(dict.fromkeys([*candidates, *everything]), key=lambda offer: offer.package)

    def archives(self, packages: Sequence[str]) -> dict[tuple[str, str], str]:
        """The archive that offers each (package, version): `bookworm-security`, as the sources name it."""
        return parse_madison(self._ask("apt-cache", "madison", *packages)) if packages else {}

    def places(self, packages: Sequence[str]) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """For each (package, version) the archives that have it: address without a slash at its end, and suite."""
        return parse_places(self._ask("apt-cache", "madison", *packages)) if packages else {}

    def show(self, package: str) -> dict[str, str]:
        """The fields of a package's candidate (`Version`, `Depends`, …). Raises WrongInput when none is offered."""
        valid = re.fullmatch(PACKAGE, package)
        shown = (
            process.run(self.argv("apt-cache", "show", "--no-all-versions", package), check=False) if valid else None
        )
        found = stanzas(shown.stdout) if shown else []
        if not found:
            raise WrongInput(f"{self.name} offers no package {package!r}", hint="apt-cache search finds names")
        return found[0]

    def download(self, offer: Offer, folder: Path) -> Path:
        """Fetch the package file; apt has verified it against the archive's signature. Raises OutsideFailed."""
        self.fetch(["download", f"{offer.package}={offer.version}"], folder, f"{offer.package} {offer.version}")
        file = next(folder.glob(f"{offer.package}_*.deb"))
        _promised(file, offer.sha256)
        return file

    def source_versions(self, package: str) -> list[str]:
        """The versions of a source package that are offered, newest first; empty when there are none."""
        return sorted({fields["Version"] for fields in self._sources(package)}, key=order, reverse=True)

    def source_files(self, package: str, version: str | None = None) -> list[SourcePackageFile]:
        """The files of a source package (left out: of its newest version), with the digests of the signed index.

        Raises OutsideFailed when it is not offered.
        """
        wanted = version or next(iter(self.source_versions(package)), None)
        for fields in self._sources(package):
            if fields["Version"] == wanted:
                return parse_checksums(fields.get("Checksums-Sha256", ""))
        raise OutsideFailed(f"{self.name} offers no source package {package} {version or ''}".rstrip(), hint=UPDATE)

    def download_source(self, package: str, version: str, folder: Path) -> Path:
        """Fetch a source package; returns its description (.dsc), beside which its other files are.

        Raises OutsideFailed.
        """
        promised = self.source_files(package, version)
        what = f"the source package {package} {version}"
        self.fetch(["--only-source", "--download-only", "source", f"{package}={version}"], folder, what)
        for file in promised:
            _promised(folder / file.name, file.sha256)
        return next(folder / file.name for file in promised if file.name.endswith(".dsc"))

    def fetch(self, words: Sequence[str], folder: Path, what: str) -> None:
        """Let apt-get bring files into `folder`. Raises OutsideFailed with the command and what apt said."""
        argv = self.argv("apt-get", *words)
        done = process.run(argv, cwd=folder, check=False)
        if done.returncode != 0:
            raise OutsideFailed(
                f"apt could not fetch {what} from this machine's mirror",
                detail=f"$ {process.quote(argv)}\n{apt_said(done, folder)}",
                hint=f"{UPDATE}, then try again; a mirror may lack what it lists: ask for another version",
            )

    def _sources(self, package: str) -> list[dict[str, str]]:
        # apt-cache exits 100 when there is none.
        shown = process.run(self.argv("apt-cache", "showsrc", "--only-source", package), check=False).stdout
        return [fields for fields in stanzas(shown) if fields.get("Package") == package and "Version" in fields]

    def _ask(self, tool: str, *words: str) -> str:
        return process.run(self.argv(tool, *words), failure=OutsideFailed).stdout


HOST = Root("this machine's apt")


def apt_said(failed: process.Finished, folder: Path) -> str:
    """What apt itself says of a command that failed, without the lists of digests that may follow.

    Raises MachineLacks when the disk was full.
    """
    if process.NO_SPACE in failed.stderr:
        raise MachineLacks(f"the disk is full: {folder}", hint=files.ROOM)
    lines = [line for line in failed.stderr.splitlines() if line.startswith(("E: ", "W: "))]
    return "\n".join(lines) or failed.stderr.strip()


def parse_checksums(field: str) -> list[SourcePackageFile]:
    """Read the lines `SHA256 SIZE NAME` of a Checksums-Sha256 field; others are passed over."""
    found = re.findall(r"^([0-9a-f]{64}) +[0-9]+ +([A-Za-z0-9][A-Za-z0-9._+~-]*)$", field, re.MULTILINE)
    return [SourcePackageFile(name, sha256) for sha256, name in found]


def parse_madison(text: str) -> dict[tuple[str, str], str]:
    """Read `PACKAGE | VERSION | URI ARCHIVE/COMPONENT …` lines: the first archive of each version."""
    found: dict[tuple[str, str], str] = {}
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|")]
        words = fields[2].split() if len(fields) == 3 else []
        if len(words) > 1:
            found.setdefault((fields[0], fields[1]), words[1].rpartition("/")[0])
    return found


def parse_places(text: str) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Read `PACKAGE | VERSION | URI ARCHIVE/COMPONENT … Packages` lines: the archives of each version."""
    found: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for line in text.splitlines():
        fields = [field.strip() for field in line.split("|")]
        words = fields[2].split() if len(fields) == 3 else []
        if len(words) > 1 and words[-1] == "Packages":
            found.setdefault((fields[0], fields[1]), set()).add((words[0].rstrip("/"), words[1].rpartition("/")[0]))
    return found


def _offers(shown: str) -> list[Offer]:
    return [
        Offer(fields["Package"], fields["Version"], fields["SHA256"])
        for fields in stanzas(shown)
        if {"Package", "Version", "SHA256"} <= fields.keys()
    ]


def _promised(file: Path, sha256: str) -> None:
    if files.digest_file(file) != sha256:
        raise OutsideFailed(f"{file.name} is not the file that apt promised", hint=f"{UPDATE}, then try again")
