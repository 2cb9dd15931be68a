"""What a report comes to, in one error."""

import pytest

from mplskit.errors import NotSo
from mplskit.fleet.completion import bootstrapped
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload_report import Item, Report
from mplskit.remote.host import Host

NODE = Node("lsr-1", Host("lsr-1"), NodeSpec())


@pytest.mark.parametrize("state", ["failed", "waits"])
def test_an_error_has_an_end_however_much_failed(state: str) -> None:
    items = [Item(state, "route", f"label {100 + n}", f"Invalid argument: {'nexthop ' * 2000}") for n in range(5000)]
    failure = bootstrapped(NODE, Report.of(items)).failure
    assert isinstance(failure, NotSo)
    first = str(failure).splitlines()[0]
    assert "route label 100, route label 101, " in first
    assert first.endswith(", and 4,980 more")
    assert len(first) < 500
    assert len(str(failure)) < 4000
