"""Reads a node's MPLS settings back: the size of its label table, and where labelled packets are accepted."""

from collections.abc import Iterable

from mplskit.lab.report import Check
from mplskit.lab.stage import Stage
from mplskit.node.grammar.spec import NodeSpec

# Lines such as `platform_labels:100000` and `conf/eth0/input:1`.
READ = "cd /proc/sys/net/mpls && grep . platform_labels conf/*/input"


def check_settings(stage: Stage, node: str, spec: NodeSpec) -> Check:
    """Whether the kernel has what the node's spec says. Raises Undone when it has no MPLS settings at all."""
    labels, inputs = parse_settings(stage.ground.do(stage.inside(node, "sh", "-c", READ)))
    passed = labels == spec.platform_labels and inputs == set(spec.mpls_input)
    return Check(f"settings of {node}", _said(spec.platform_labels, spec.mpls_input), _said(labels, inputs), passed)


def parse_settings(lines: str) -> tuple[int, set[str]]:
    """The size of the label table, and the interfaces that accept labelled packets (any value but 0 is on)."""
    values = {name: int(value) for name, _, value in (line.partition(":") for line in lines.splitlines())}
    labels = values.pop("platform_labels")
    return labels, {name.split("/")[1] for name, value in values.items() if value}


def _said(labels: int, inputs: Iterable[str]) -> str:
    return f"platform_labels {labels}, input on {', '.join(sorted(inputs)) or 'no interface'}"
