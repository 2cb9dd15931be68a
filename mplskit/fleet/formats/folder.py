"""The folder that `node.render` writes: whole or not at all, and never over what somebody else wrote or changed."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.files import digest_file, rebuild
from mplskit.fleet.formats import ansible, cloud_init, plain_files, pyinfra
from mplskit.node.node import Node
from mplskit.wording import no_such, several

Write = Callable[[Path, Sequence[Node], Sequence[str]], None]
FORMATS: Mapping[str, Write] = {
    "files": plain_files.write,
    "cloud-init": cloud_init.write,
    "pyinfra": pyinfra.write,
    "ansible": ansible.write,
}
# What we wrote: {"format": …, "files": {path: SHA-256}}.
RECORD = "mplskit.json"
# What running it leaves behind, which is nobody's work: pyinfra's reports.
LEFT = ("reports", "__pycache__")


def write(form: str, nodes: Sequence[Node], folder: Path) -> tuple[str, ...]:
    """Write the nodes into `folder` in a format; returns the paths below it.

    Raises WrongInput for an unknown format, and when the folder holds what was not written here or was changed since.
    """
    if form not in FORMATS:
        raise WrongInput(f"--format: {no_such('format', form, list(FORMATS))}")
    names = [name_of(node) for node in nodes]

    def build(partial: Path) -> None:
        FORMATS[form](partial, nodes, names)
        found = {path: digest_file(partial / path) for path in _paths(partial)}
        (partial / RECORD).write_text(json.dumps({"format": form, "files": found}, indent=1) + "\n")

    rebuild(folder.absolute(), build, check=_ours)
    return tuple(_paths(folder))


def name_of(node: Node) -> str:
    """The name of a node as that of a folder and in inventories; a host of the command line is named by its address."""
    rule = r"[A-Za-z0-9][A-Za-z0-9._-]*"
    if re.fullmatch(rule, node.name):
        return node.name
    return re.sub(r"[^A-Za-z0-9.-]+", "-", node.host.name).strip("-._") or "node"


def _paths(folder: Path) -> list[str]:
    every = (path for path in folder.rglob("*") if path.is_file() or path.is_symlink())
    return sorted(str(path.relative_to(folder)) for path in every)


def _ours(folder: Path) -> None:
    """Raise WrongInput unless all in a folder was written by us and is as it was."""
    try:
        record = json.loads((folder / RECORD).read_text())["files"] if any(folder.iterdir()) else {}
    except (OSError, ValueError, KeyError, TypeError):
        raise WrongInput(
            f"--to {folder}: there is something that node.render did not write", hint="name another folder with --to"
        ) from None
    there = [path for path in _paths(folder) if path != RECORD and path.split("/")[0] not in LEFT]
    foreign = [path for path in there if digest_file(folder / path) != record.get(path)]
    if foreign:
        raise WrongInput(
            f"--to {folder}: node.render did not write these so: {several(foreign)}",
            hint="name another folder with --to, or move them away",
        )
