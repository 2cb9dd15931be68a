"""The grammar of a node, and the rule that each wrong value breaks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mplskit.errors import Exit
from mplskit.node.spec import NodeSpec, interface_name, problems, wrong_input

PUSH = {"push": [101], "to": "192.168.10.152/32", "via": "10.10.0.152"}


def refusals(**values: Any) -> list[str]:
    with pytest.raises(ValidationError) as caught:
        NodeSpec.model_validate(values)
    return [str(problem) for problem in problems(caught.value)]


def test_an_empty_spec_is_a_node_with_a_table_of_100000_that_accepts_no_labels_anywhere() -> None:
    spec = NodeSpec()
    assert (spec.platform_labels, spec.mpls_input, spec.loopbacks, spec.routes) == (100_000, (), (), ())


def test_a_spec_survives_being_written_as_json_and_read_again() -> None:
    spec = NodeSpec.model_validate(
        {
            "mpls_input": ["eth0", "eth0.100"],
            "loopbacks": ["192.168.10.187/32", "2001:db8::1/128"],
            "routes": [
                {**PUSH, "push": [16, 1_048_575, 0], "dev": "eth0", "src": "192.168.10.187"},
                {"swap": 100, "as": [200], "via": "fe80::1", "dev": "eth0"},
                {"pop": 101, "dev": "lo"},
                {"pop": 1_048_574 - 1_000_000, "via": "10.10.0.1"},
            ],
        }
    )
    assert NodeSpec.model_validate_json(spec.model_dump_json(by_alias=True)) == spec


@pytest.mark.parametrize(
    ("route", "refusal"),
    [
        (
            {**PUSH, "push": [3]},
            "routes[0].push[0]: implicit null (3) is never on the wire; a penultimate hop pops: {pop: L, via: A}",
        ),
        (
            {**PUSH, "push": [7]},
            "routes[0].push[0]: an outgoing label is 16 to 1048575, or explicit null (0, 2) (here: 7)",
        ),
        (
            {**PUSH, "push": [1 << 20]},
            "routes[0].push[0]: an outgoing label is 16 to 1048575, or explicit null (0, 2) (here: 1048576)",
        ),
        ({**PUSH, "push": ["101"]}, "routes[0].push[0]: should be a valid integer (here: '101')"),
        ({**PUSH, "push": []}, "routes[0].push: a label stack has 1 to 30 labels"),
        ({**PUSH, "push": [16] * 31}, "routes[0].push: a label stack has 1 to 30 labels"),
        ({"push": [101], "to": "10.0.0.0/8"}, "routes[0].via: is missing"),
        ({**PUSH, "to": "10.0.0.1/8"}, "routes[0].to: 10.0.0.1/8 has host bits set"),
        ({**PUSH, "via": 168427672}, "routes[0].via: an address is text (here: 168427672)"),
        ({**PUSH, "via": "fe80::1"}, "routes[0]: the link-local next hop fe80::1 needs dev"),
        ({**PUSH, "to": "2001:db8::/32"}, "routes[0]: an IPv6 destination cannot have an IPv4 next hop"),
        ({**PUSH, "src": "2001:db8::1"}, "routes[0]: src and to must be of one address family"),
        ({**PUSH, "weight": 2}, "routes[0].weight: there is no such key; allowed: push, to, via, dev, src"),
        ({"pop": 101}, "routes[0]: a pop needs dev (lo, a VRF) or via (a next hop)"),
        ({"pop": 15, "dev": "lo"}, "routes[0].pop: an incoming label is 16 to 1048574 (here: 15)"),
        ({"pop": 1_048_575, "dev": "lo"}, "routes[0].pop: an incoming label is 16 to 1048574 (here: 1048575)"),
        ({"swap": 100, "as": [200]}, "routes[0].via: is missing"),
        ({"pop": 101, "swap": 101, "dev": "lo"}, "routes[0]: a route has exactly one of push, swap and pop"),
        ({"to": "10.0.0.0/8"}, "routes[0]: a route has exactly one of push, swap and pop"),
    ],
)
def test_a_route_that_cannot_work_is_refused_with_its_place_and_the_rule(route: dict[str, Any], refusal: str) -> None:
    assert refusals(routes=[route]) == [refusal]


def test_incoming_labels_are_below_the_size_of_the_table() -> None:
    assert refusals(platform_labels=101, routes=[{"pop": 101, "dev": "lo"}]) == [
        "label 101 needs platform_labels above 101: it is 101"
    ]
    assert NodeSpec.model_validate({"platform_labels": 102, "routes": [{"pop": 101, "dev": "lo"}]})


def test_a_label_has_one_route() -> None:
    assert refusals(routes=[{"pop": 101, "dev": "lo"}, {"swap": 101, "as": [102], "via": "10.0.0.1"}]) == [
        "label 101 has more than one route"
    ]


@pytest.mark.parametrize("size", [-1, 1 << 20])
def test_the_table_has_0_to_1048575_labels(size: int) -> None:
    assert len(refusals(platform_labels=size)) == 1


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        ("", "an interface name has 1 to 15 bytes"),
        ("x" * 16, "an interface name has 1 to 15 bytes (here: xxxxxxxxxxxxxxxx)"),
        (".", "an interface cannot be named . or .."),
        ("..", "an interface cannot be named . or .."),
        ("a/b", "an interface name cannot hold '/' (here: a/b)"),
        ("a b", "an interface name cannot hold ' ' (here: 'a b')"),
        ("eth0:1", "an interface name cannot hold ':' (here: eth0:1)"),
        ("eth*", "an interface name cannot hold '*' (here: eth*)"),
        ("a\nb", "an interface name cannot hold '\\n' (here: 'a\\nb')"),
        ("all", "there is no net.mpls.conf.all: name each interface"),
        ("default", "there is no net.mpls.conf.default: name each interface"),
    ],
)
def test_a_name_that_no_interface_can_have_is_refused(name: str, refusal: str) -> None:
    assert refusals(mpls_input=[name]) == [f"mpls_input[0]: {refusal}"]


@pytest.mark.parametrize("name", ["eth0", "eth0.100", "tap-core_1", "...", "wg@x", "x" * 15])
def test_a_name_that_an_interface_can_have_is_taken(name: str) -> None:
    assert NodeSpec(mpls_input=(name,)).mpls_input == (name,)


@given(st.text(max_size=20))
def test_no_interface_name_gets_through_that_could_become_a_second_word_or_line(name: str) -> None:
    try:
        taken = interface_name(name)
    except ValueError:
        return
    assert taken == name
    assert name.split() == [name]
    assert "/" not in name


def test_an_interface_is_named_once() -> None:
    assert refusals(mpls_input=["eth0", "eth0"]) == ["mpls_input names eth0 twice"]


def test_what_is_wrong_in_a_spec_becomes_one_failure_with_a_line_for_each_problem() -> None:
    with pytest.raises(ValidationError) as caught:
        NodeSpec.model_validate({"mpls_input": ["a b"], "routes": [{"pop": 3, "dev": "lo"}]})
    failure = wrong_input(caught.value, "the node")
    assert failure.code == Exit.WRONG_INPUT
    assert str(failure) == (
        "error: the node cannot be right\n"
        "  | mpls_input[0]: an interface name cannot hold ' ' (here: 'a b')\n"
        "  | routes[0].pop: an incoming label is 16 to 1048574 (here: 3)"
    )
