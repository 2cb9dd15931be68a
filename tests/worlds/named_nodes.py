"""Nodes of which there is no more than their names, for what many of them have in common."""

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.remote.host import Host

SPEC = NodeSpec()


def nodes(*names: str) -> list[Node]:
    """Nodes of these names."""
    return [Node(name, Host(name), SPEC) for name in names]


def numbered(count: int) -> list[Node]:
    """n1, n2 and so on."""
    return nodes(*(f"n{number}" for number in range(1, count + 1)))
