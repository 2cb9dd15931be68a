"""The Debian archives that this machine's apt is set up with, and apt roots for its own suite and for others."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import process
from mplskit.errors import OutsideFailed
from mplskit.sources.aptlists import Archive, fresh_root
from mplskit.sources.aptroot import CONF, UPDATE, Offer, Root, SourcePackageFile
from mplskit.sources.deb822 import stanzas

__all__ = ["UPDATE", "Offer", "Root", "SourcePackageFile", "release", "repositories", "source_root", "suite_root"]

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# What Debian publishes beside a suite, and beside which suites it does.
POCKETS = ("", "-updates", "-security")
ALONE = ("sid",)
HOST = Root("this machine's apt")
# The private root of the host's own archives.
OWN = "host"


@dataclass(frozen=True)
class Repository:
    """A Debian archive that the host's apt is set up with; `signed_by` is what the host's sources say, or empty."""

    uri: str
    release: str
    codename: str
    signed_by: str


def release(os_release: Path = Path("/etc/os-release")) -> str:
    """The code name of this machine's release (`bookworm`); empty when it names none."""
    rows = (line.partition("=") for line in os_release.read_text().splitlines())
    return next((value.strip('"') for key, _, value in rows if key == "VERSION_CODENAME"), "")


def suite_root(cache: Path, suite: str | None) -> Root:
    """The root that offers a suite's packages: a private one; without a suite the host's own apt, as it is.

    Raises OutsideFailed when the mirror lacks the suite, does not answer, or is signed by nobody that the host trusts.
    """
    return _private(cache, codename(suite), mapped(repositories(), codename(suite))) if suite else HOST


def source_root(cache: Path, suite: str | None) -> Root:
    """The root that offers a suite's source packages; without a suite, those of the host's own Debian archives.

    Raises OutsideFailed.
    """
    if suite:
        return suite_root(cache, suite)
    keys = _default_keys()
    own = [Archive(found.uri, found.release, "deb-src", found.signed_by or keys) for found in repositories()]
    return _private(cache, OWN, list(dict.fromkeys(own)))


def cached_suites(cache: Path) -> list[str]:
    """The suites whose lists are in the cache."""
    return sorted({path.parts[-4] for path in (cache / "apt").glob(f"*/*/*/{CONF}")} - {OWN})


def codename(suite: str) -> str:
    """`sid` for `unstable`, which is the same suite."""
    return "sid" if suite == "unstable" else suite


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
    keys = _default_keys()
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


def _private(cache: Path, name: str, archives: Sequence[Archive]) -> Root:
    return fresh_root(cache.absolute() / "apt" / name, name, archives, _host_updated())


def _host_updated() -> float:
    """When the host's lists were updated last (Unix time): a newer update there makes ours old, too."""
    said = process.run(["apt-config", "shell", "LISTS", "Dir::State::lists/d"], failure=OutsideFailed).stdout
    lists = Path(said.strip().removeprefix("LISTS=").strip("'"))
    # The lists themselves have the mirror's times; apt uses partial/ in each update.
    return max((path.stat().st_mtime for path in (lists, lists / "partial") if path.exists()), default=0.0)


def _default_keys() -> str:
    return str(KEYRING) if KEYRING.exists() else ""
