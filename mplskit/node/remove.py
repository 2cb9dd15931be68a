"""Takes back from a node what a bootstrap brought: what is not ours stays."""

from mplskit.node.carry import Hear, carry
from mplskit.node.node import Node
from mplskit.node.payload_report import Report


def remove(node: Node, *, hear: Hear | None = None) -> Report:
    """Remove our files, routes, addresses and units from `node`, and put back what was there before.

    Raises OutsideFailed when the host cannot be reached or did not run the payload to its end, MachineLacks when the
    login there is not root's.
    """
    return carry(node, "remove", hear=hear)
