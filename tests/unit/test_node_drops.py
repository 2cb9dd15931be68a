"""Drop routes: what stands below a push, so that its packets do not follow the default route when it is gone."""

from typing import Any

import pytest
from pydantic import ValidationError

from mplskit.node.grammar.spec import NodeSpec, problems
from mplskit.node.payload.render import LABELS_FILE, ROUTES_FILE, render

PUSH = {"push": [100], "to": "10.9.0.0/24", "via": "10.0.0.1"}
PUSH_6 = {"push": [100], "to": "2001:db8::/32", "via": "fd00::1"}


def spec(*routes: dict[str, Any]) -> NodeSpec:
    return NodeSpec.model_validate({"routes": routes})


def test_a_drop_route_is_below_everything_unless_it_says_another_metric() -> None:
    files = render(
        spec(
            PUSH,
            {"unreachable": "10.9.0.0/24"},
            PUSH_6,
            {"unreachable": "2001:db8::/32"},
            {"blackhole": "0.0.0.0/0", "table": 100, "metric": 500},
        )
    )
    assert files[ROUTES_FILE].splitlines()[2:] == [
        "route add 10.9.0.0/24 proto 77 encap mpls 100 via 10.0.0.1",
        "route add unreachable 10.9.0.0/24 proto 77 metric 4294967295",
        "route add 2001:db8::/32 proto 77 encap mpls 100 via fd00::1",
        "route add unreachable 2001:db8::/32 proto 77 metric 4294967295",
        "route add blackhole 0.0.0.0/0 table 100 proto 77 metric 500",
    ]
    assert LABELS_FILE not in files


def test_a_node_may_have_drop_routes_alone_and_is_read_from_its_json_again() -> None:
    node = spec({"blackhole": "10.0.0.0/8"}, {"unreachable": "2001:db8::/32", "metric": 2000})
    said = node.compact()
    assert said["routes"] == [{"blackhole": "10.0.0.0/8"}, {"metric": 2000, "unreachable": "2001:db8::/32"}]
    assert NodeSpec.model_validate(said) == node
    assert ROUTES_FILE in render(node)
    assert node.has_ipv6


@pytest.mark.parametrize(
    ("routes", "refusal"),
    [
        (
            [PUSH_6, {"unreachable": "2001:db8::/32", "metric": 1024}],
            "routes[1].metric: the push to 2001:db8::/32 has metric 1024: what is to come after it needs a larger one",
        ),
        (
            [{"blackhole": "10.9.0.0/24"}, {"unreachable": "10.9.0.0/24"}],
            "routes[1].unreachable: 10.9.0.0/24 has a drop route of that metric already, routes[0]",
        ),
        ([{"blackhole": "10.9.0.0/24", "table": 255}], "routes[0].table: 255 is the kernel's own table (local)"),
        (
            [{"blackhole": "10.9.0.0/24", "metric": 0}],
            "routes[0].metric: should be a whole number from 1 to 4294967295 (here: 0)",
        ),
        (
            [{"blackhole": "10.9.0.1/24"}],
            "routes[0].blackhole: 10.9.0.1/24 is an address in 10.9.0.0/24: write that, or 10.9.0.1/32 for the address "
            "alone",
        ),
        (
            [{"blackhole": "10.9.0.0/24", "via": "10.0.0.1"}],
            "routes[0].via: there is no such key; allowed: table, metric, blackhole",
        ),
        (
            [{"blackhole": "10.9.0.0/24", "unreachable": "10.9.0.0/24"}],
            "routes[0]: a route has exactly one of push, swap, pop, unreachable and blackhole",
        ),
    ],
)
def test_a_drop_route_that_cannot_be_right_is_refused(routes: list[dict[str, Any]], refusal: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec(*routes)
    assert [str(problem) for problem in problems(caught.value)] == [refusal]


def test_drop_routes_of_one_prefix_in_several_tables_are_several_routes() -> None:
    assert len(spec(*({"blackhole": "10.9.0.0/24", "table": table} for table in (1, 2, 254))).routes) == 3
