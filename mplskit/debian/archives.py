"""The Debian archives that this machine's apt is set up with, and where it would have those of other suites."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.address_logins import bare
from mplskit.debian.apt_root import HOST, UPDATE
from mplskit.debian.deb822 import stanza, stanzas
from mplskit.debian.suites import ALONE, POCKETS
from mplskit.errors import OutsideFailed

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


@dataclass(frozen=True)
class Repository:
    """A Debian archive that the host's apt is set up with; `signed_by` is what the host's sources say, or empty."""

    uri: str
    release: str
    codename: str
    signed_by: str


@dataclass(frozen=True)
class Archive:
    """One archive of apt: its URI, suite and types (`deb`, `deb-src`), and the keys that may sign it (Signed-By)."""

    uri: str
    suite: str
    types: str
    signed_by: str = ""

    def line(self) -> str:
        """The archive's packages as a line of sources.list, with the login that the address may have."""
        return f"deb {self.uri} {self.suite} main"

    def shown(self) -> str:
        """The same without: as an image has it."""
        return bare(self.line())

    def stanza(self) -> str:
        """The archive as a `.sources` file names it (sources.list(5))."""
        fields = {"Types": self.types, "URIs": self.uri, "Suites": self.suite, "Components": "main"}
        # Nothing but the indices of packages: no translations, nor what a host adds for its desktop.
        fields["Targets"] = "Packages Sources"
        return stanza({**fields, **({"Signed-By": self.signed_by} if self.signed_by else {})})


def repositories() -> list[Repository]:
    """Debian's own archives among the host's, in the order of its sources. Raises OutsideFailed when there are none."""
    argv = HOST.argv("apt-get", "indextargets", "Created-By: Packages", "Origin: Debian")
    shown = process.run(argv, failure=OutsideFailed).stdout
    found = [
        Repository(
            target["Repo-URI"],
            target["Release"],
            target.get("Codename", target["Release"]),
            signed_by(target.get("Sourcesentry", "")),
        )
        for target in stanzas(shown)
        if {"Repo-URI", "Release"} <= target.keys()
    ]
    if not found:
        raise OutsideFailed("this machine's apt knows no Debian archive", hint=UPDATE)
    return list(dict.fromkeys(found))


def mapped(found: Iterable[Repository], suite: str) -> list[Archive]:
    """The archives of `suite` at the places where the host has those of its own; the suite itself comes first."""
    keys = default_keys()
    wanted: dict[tuple[int, str], Archive] = {}
    for repository in found:
        _, dash, rest = repository.codename.partition("-")
        pocket = dash + rest
        if pocket in POCKETS and not (pocket and suite in ALONE):
            key = (POCKETS.index(pocket), repository.uri)
            wanted.setdefault(key, Archive(repository.uri, suite + pocket, "deb deb-src", repository.signed_by or keys))
    if not any(index == 0 for index, _ in wanted):
        raise OutsideFailed(
            "this machine's apt knows no Debian archive with a whole suite",
            detail="\n".join(f"{repository.uri} {repository.release}" for repository in found),
            hint="add a Debian mirror to this machine's apt sources",
        )
    return [wanted[key] for key in sorted(wanted)]


def signed_by(entry: str) -> str:
    """What `FILE:N` of apt's sources says of keys: line N of a .list file, stanza N of a .sources file; or nothing."""
    name, _, number = entry.rpartition(":")
    try:
        text = Path(name).read_text()
    except OSError:
        return ""
    if name.endswith(".sources"):
        found = stanzas(text)[int(number) - 1 : int(number)]
        return next((value for fields in found for key, value in fields.items() if key.lower() == "signed-by"), "")
    line = "".join(text.splitlines()[int(number) - 1 : int(number)])
    said = re.search(r"\[[^]]*\bsigned-by=([^\s\]]+)", line, re.IGNORECASE)
    return said[1].replace(",", " ") if said else ""


def default_keys() -> str:
    """The file of keys that Debian signs with, where the host's sources name none; empty when there is none."""
    return str(KEYRING) if KEYRING.exists() else ""
