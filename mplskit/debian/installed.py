"""What dpkg has installed: on this machine, or in a tree."""

from collections.abc import Sequence
from pathlib import Path

from mplskit import process


def installed_of(packages: Sequence[str]) -> set[str]:
    """Those of the packages that this machine has installed."""
    answer = process.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *packages], check=False)
    rows = (line.split() for line in answer.stdout.splitlines())
    return {name for status, name in rows if status == "installed"}


def installed_in(tree: Path) -> dict[str, str]:
    """The packages of a tree: name to version."""
    shown = process.run(["dpkg-query", f"--admindir={tree / 'var/lib/dpkg'}", "-W", "-f", "${Package} ${Version}\n"])
    return dict(line.split(" ", 1) for line in shown.stdout.splitlines())
