"""A node as a task meets it: its name, the way to it, and what it should be."""

from dataclasses import dataclass

from mplskit.node.grammar.spec import NodeSpec
from mplskit.remote.host import Host


@dataclass(frozen=True)
class Node:
    """`name` is that of the inventory, or the host as the user wrote it."""

    name: str
    host: Host
    spec: NodeSpec
    groups: tuple[str, ...] = ()
