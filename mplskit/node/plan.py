"""What a bootstrap would do on a node: asked there, and nothing is changed."""

from collections.abc import Sequence

from mplskit.debian.package_file import Deb
from mplskit.node.carry import Hear, carry
from mplskit.node.node import Node
from mplskit.node.payload.apt import Apt
from mplskit.node.payload_report import Report


def plan(node: Node, packages: Sequence[Deb] = (), *, apt: Apt | None = None, hear: Hear | None = None) -> Report:
    """What would change on `node`: its `changed` items, and a `diff` item for each line of a file's difference.

    Raises OutsideFailed when the host cannot be reached or did not run the payload to its end, MachineLacks when the
    login there is not root's.
    """
    return carry(node, "plan", packages=packages, apt=apt, hear=hear)
