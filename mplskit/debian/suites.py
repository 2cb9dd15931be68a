"""Debian's suites, what is published beside each, and which of them this machine has."""

from pathlib import Path

SUITES = ("bullseye", "bookworm", "trixie", "forky", "sid", "unstable")
# Those that images are built of.
FOR_IMAGES = ("bookworm", "trixie")
# What Debian publishes beside a suite, and beside which suites it does not.
POCKETS = ("", "-updates", "-security")
ALONE = ("sid",)


def release(os_release: Path = Path("/etc/os-release")) -> str:
    """The code name of this machine's release (`bookworm`); empty when it names none."""
    rows = (line.partition("=") for line in os_release.read_text().splitlines())
    return next((value.strip('"') for key, _, value in rows if key == "VERSION_CODENAME"), "")


def codename(suite: str) -> str:
    """`sid` for `unstable`, which is the same suite."""
    return "sid" if suite == "unstable" else suite
