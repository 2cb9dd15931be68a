"""Where the image's packages come from: the Debian archives that this machine's own apt uses, for any suite."""

from collections.abc import Iterable
from dataclasses import dataclass

from mplskit import process
from mplskit.errors import MachineLacks
from mplskit.logins import bare

POCKETS = ("", "-updates", "-security")
FORMAT = "$(ORIGIN)|$(REPO_URI)|$(CODENAME)"
# What this machine's apt had to be told to reach its archives, a new system's apt has to be told, too.
SETTINGS = (
    "Acquire::Check-Date",
    "Acquire::Check-Valid-Until",
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
)


@dataclass(frozen=True)
class Archive:
    """One archive of apt: `deb URI SUITE main`."""

    uri: str
    suite: str

    def line(self) -> str:
        """The line of sources.list, with the login that the address may have."""
        return f"deb {self.uri} {self.suite} main"

    def shown(self) -> str:
        """The same without: as an image has it."""
        return bare(self.line())


def archives(suite: str) -> list[Archive]:
    """The archives for `suite`: plain, updates and security, as far as this machine uses them for its own release.

    Raises MachineLacks when apt names no archive of Debian.
    """
    format_ = process.run(["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages"]).stdout
    found = parse(format_.splitlines(), suite)
    if not any(archive.suite == suite for archive in found):
        raise MachineLacks(
            "this machine's apt has no archive of Debian to take an image's packages from",
            detail=format_.strip(),
            hint="add a Debian mirror to /etc/apt/sources.list.d, then: apt-get update",
        )
    return found


def parse(lines: Iterable[str], suite: str) -> list[Archive]:
    """Archives of Debian from `ORIGIN|URI|CODENAME` lines, their code name replaced by `suite`."""
    found: list[Archive] = []
    for line in lines:
        origin, uri, codename = line.split("|")
        _, dash, pocket = codename.partition("-")
        archive = Archive(uri, suite + dash + pocket)
        if origin == "Debian" and dash + pocket in POCKETS and archive not in found:
            found.append(archive)
    return found


def settings() -> list[str]:
    """Options of this machine's apt that reaching its archives may depend on, as `NAME "VALUE"`."""
    lines = process.run(["apt-config", "dump", "--format", '%f "%v"%n', "Acquire"]).stdout.splitlines()
    return [line for line in lines if line.split(" ")[0] in SETTINGS and not line.endswith('""')]
