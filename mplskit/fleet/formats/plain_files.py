"""A folder for each node: the payload, which one command on the node applies."""

from collections.abc import Sequence
from pathlib import Path

from mplskit.node.node import Node
from mplskit.node.payload.payload import stage
from mplskit.process import quote
from mplskit.wording import several

README = """\
The setup of {nodes} by hand: a folder for each node. Copy it there, and run in it as root:

{commands}
It prints STATE, KIND, NAME and DETAIL of each item, and may be run again; `plan` instead of `node` changes nothing.
The folder is not needed afterwards.
"""


def write(folder: Path, nodes: Sequence[Node], names: Sequence[str]) -> None:
    """Write NAME/apply.sh, NAME/files/… of each node, and README."""
    commands = ""
    for name, node in zip(names, nodes, strict=True):
        stage(folder / name, node.spec)
        command = quote(["sh", "apply.sh", "node", *node.spec.allow])
        commands += f"    {name}: {command}\n"
    (folder / "README").write_text(README.format(nodes=several(names), commands=commands))
