"""A folder for each node: the payload, which one command on the node applies."""

from collections.abc import Sequence
from pathlib import Path

from mplskit.node.node import Node
from mplskit.node.payload.payload import stage
from mplskit.process import quote

README = """\
The payload of mplskit for the node {name}: copy this folder to the node, and as root run there: {command}
It prints STATE, KIND, NAME and DETAIL of each item, and may be run again; `plan` instead of `node` changes nothing.
"""


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str]) -> None:
    """Write NAME/apply.sh, NAME/files/… and NAME/README of each node."""
    for name, node in zip(names, nodes, strict=True):
        stage(folder / name, node.spec)
        command = quote(["sh", "apply.sh", "node", *node.spec.allow])
        (folder / name / "README").write_text(README.format(name=name, command=command))
