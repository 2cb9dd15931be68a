"""Asks apt: what this machine's apt offers, and a private apt root for source packages.

The private root has lists of its own below the cache and shares everything else (proxy, pins, keys) with the host.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import files, process
from mplskit.errors import OutsideFailed

HOST_LISTS = Path("/var/lib/apt/lists")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
UPDATE = "apt-get update"


def release(os_release: Path = Path("/etc/os-release")) -> str:
    """The code name of this machine's release (`bookworm`); empty when it names none."""
    rows = (line.partition("=") for line in os_release.read_text().splitlines())
    return next((value.strip('"') for key, _, value in rows if key == "VERSION_CODENAME"), "")


@dataclass(frozen=True)
class Offer:
    """A package that apt offers: its candidate's version and the SHA-256 of its file."""

    package: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Repository:
    """A Debian archive that the host's apt is set up with."""

    uri: str
    release: str
    component: str


def offers(pattern: str) -> list[Offer]:
    """The candidates of all packages whose name matches a regular expression, in apt's order."""
    found = process.run(["apt-cache", "search", "--names-only", pattern], failure=OutsideFailed).stdout
    names = [line.split(" - ")[0] for line in found.splitlines()]
    if not names:
        return []
    shown = process.run(["apt-cache", "show", "--no-all-versions", *names], failure=OutsideFailed).stdout
    return [
        Offer(fields["Package"], fields["Version"], fields["SHA256"])
        for fields in stanzas(shown)
        if {"Package", "Version", "SHA256"} <= fields.keys()
    ]


def download(offer: Offer, folder: Path) -> Path:
    """Fetch the package file; apt has verified it against the archive's signature. Raises OutsideFailed."""
    fetch(["apt-get", "-q", *_no_sandbox(), "download", f"{offer.package}={offer.version}"], folder, offer.package)
    file = next(folder.glob(f"{offer.package}_*.deb"))
    if files.digest_file(file) != offer.sha256:
        raise OutsideFailed(f"{file.name} is not the file that apt promised", hint=f"{UPDATE}, then try again")
    return file


def fetch(argv: Sequence[str], folder: Path, what: str) -> None:
    """Let apt bring files into `folder`. Raises OutsideFailed with the command and what apt said."""
    try:
        process.run(argv, cwd=folder, failure=OutsideFailed)
    except OutsideFailed as error:
        raise OutsideFailed(
            f"apt could not fetch {what} from this machine's mirror",
            detail=f"$ {process.quote(argv)}\n{error.detail}",
            hint=f"{UPDATE}, then try again; a mirror may not carry everything that it lists",
        ) from None


def repositories() -> list[Repository]:
    """Debian's own archives among the host's, in the order of its sources. Raises OutsideFailed when there are none."""
    shown = process.run(
        ["apt-get", "indextargets", "Created-By: Packages", "Origin: Debian"], failure=OutsideFailed
    ).stdout
    found = [Repository(t["Repo-URI"], t["Release"], t["Component"]) for t in stanzas(shown) if "Repo-URI" in t]
    if not found:
        raise OutsideFailed("this machine's apt knows no Debian archive", hint=UPDATE)
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class SourceRoot:
    """A private apt root with the source indices of the host's Debian archives."""

    folder: Path

    def argv(self, *words: str) -> list[str]:
        """An `apt-get` command line that sees this root alone."""
        settings = (
            f"Dir::Etc::SourceList={self.folder}/sources.list",
            "Dir::Etc::SourceParts=-",
            f"Dir::State::Lists={self.folder}/lists",
            f"Dir::Cache={self.folder}/cache",
        )
        return ["apt-get", "-q", *_no_sandbox(), *(word for setting in settings for word in ("-o", setting)), *words]


def source_root(cache: Path) -> SourceRoot:
    """The root that belongs to the host's present lists: a newer `apt-get update` on the host makes a newer root."""
    lines = [
        f"deb-src [signed-by={KEYRING}] {found.uri} {found.release} {found.component}\n" for found in repositories()
    ]
    seen = [files.digest_file(path) for path in sorted(HOST_LISTS.glob("*Release"))]
    target = cache / "apt" / files.digest_of([lines, seen])[:16]

    files.build_once(target, lambda folder: make_root(folder, lines))
    return SourceRoot(target)


def make_root(folder: Path, lines: Sequence[str]) -> None:
    """Make a private root of these sources in the empty `folder`. Raises OutsideFailed when any list is missing."""
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    (folder / "sources.list").write_text("".join(lines))
    # By itself apt exits 0 when a list could not be had, and goes on without it.
    fetch(
        SourceRoot(folder).argv("-o", "APT::Update::Error-Mode=any", "update"), folder, "the lists of source packages"
    )


@dataclass(frozen=True)
class SourcePackageFile:
    """One file of a source package, as `apt-get --print-uris source` names it."""

    name: str
    sha256: str


def source_files(root: SourceRoot, package: str) -> list[SourcePackageFile]:
    """The files of the newest version of a source package, with the digests of the signed index."""
    shown = process.run(
        root.argv("--print-uris", "--only-source", "--download-only", "source", package), failure=OutsideFailed
    ).stdout
    return parse_uris(shown)


def parse_uris(text: str) -> list[SourcePackageFile]:
    """Read `'URI' NAME SIZE SHA256:HEX` lines; others are passed over."""
    found = re.findall(r"^'[^']+' (\S+) \d+ SHA256:([0-9a-f]{64})$", text, re.MULTILINE)
    return [SourcePackageFile(name, sha256) for name, sha256 in found]


def stanzas(text: str) -> list[dict[str, str]]:
    """Split deb822 text into its stanzas; continuation lines are joined to their field."""
    found: list[dict[str, str]] = []
    for block in re.split(r"\n[ \t]*\n", text):
        fields: dict[str, str] = {}
        last = ""
        for line in block.splitlines():
            if line[:1] in (" ", "\t") and last:
                fields[last] += "\n" + line.strip()
            elif ":" in line and line[0] != "#":
                last, _, value = line.partition(":")
                fields[last] = value.strip()
        if fields:
            found.append(fields)
    return found


def _no_sandbox() -> list[str]:
    # apt warns when its sandbox user cannot write to the folder that it is told to download to.
    return ["-o", "APT::Sandbox::User=root"]
