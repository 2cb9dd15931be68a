"""The grammar of a node, and the rule that each wrong value breaks."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mplskit.node.grammar.addresses import interface_name
from mplskit.node.grammar.spec import NodeSpec, problems
from tests.worlds.spec_values import HOP, PUSH, refusals


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


OPENVPN = {
    "dev": "tap-core",
    "address": "10.96.96.2/30",
    "cert": "/etc/openvpn/a.crt",
    "key": "/etc/openvpn/a.key",
    "ca": "/etc/openvpn/ca.crt",
}
LDP = {"router_id": "10.255.0.1", "interfaces": ["eth0"]}


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (
            {"routes": [PUSH, {**PUSH, "via": "10.10.0.153"}]},
            "routes[1].to: 192.168.10.152/32 has a route already, routes[0]; several next hops are its nexthops",
        ),
        (
            {"routes": [{**PUSH, "table": 9}, {**PUSH, "table": 9}]},
            "routes[1].to: 192.168.10.152/32 has a route in table 9 already, routes[0]; "
            "several next hops are its nexthops",
        ),
        (
            {"routes": [PUSH, {**PUSH, "table": 254}]},
            "routes[1].to: 192.168.10.152/32 has a route in table 254 already, routes[0]; "
            "several next hops are its nexthops",
        ),
        (
            {"loopbacks": ["10.10.0.152/32"], "routes": [PUSH]},
            "routes[0].via: the next hop 10.10.0.152 is one of this node's own loopbacks",
        ),
        (
            {"loopbacks": ["10.0.0.2/32"], "routes": [{"pop": 16, "nexthops": [HOP, {"via": "10.0.0.2"}]}]},
            "routes[0].nexthops[1].via: the next hop 10.0.0.2 is one of this node's own loopbacks",
        ),
        (
            {"loopbacks": ["192.168.10.152/32"], "routes": [PUSH]},
            "routes[0].to: 192.168.10.152 is one of this node's own loopbacks",
        ),
        ({"loopbacks": ["10.0.0.1/32", "10.0.0.1/32"]}, "loopbacks[1]: 10.0.0.1 stands there twice"),
        (
            {"loopbacks": ["10.0.0.1/24"]},
            "loopbacks[0]: on lo a prefix shorter than /32 makes every address in it this node's own: write /32 "
            "(here: 10.0.0.1/24)",
        ),
        (
            {"loopbacks": ["127.0.0.2/32"]},
            "loopbacks[0]: 127.0.0.2 is on every lo already, and nobody else reaches it (here: 127.0.0.2/32)",
        ),
        (
            {"loopbacks": ["224.0.0.1/32"]},
            "loopbacks[0]: a loopback address is one by which others reach this node (here: 224.0.0.1/32)",
        ),
        (
            {"mpls_input": ["eth1"], "routes": [{"pop": 16, "dev": "eth1"}]},
            "routes[0].dev: a pop without via delivers here, on lo or in a VRF; "
            "to send packets on by eth1 it needs via",
        ),
        ({"ip_forward": 1}, "ip_forward: should be true or false (here: 1)"),
        ({"allow": ["everything"]}, "allow[0]: should be 'default-route' or 'shrink' (here: everything)"),
        (
            {"openvpn": [{**OPENVPN, "ca": None}]},
            "openvpn[0]: needs ca or peer_fingerprint: by which of them is the peer known?",
        ),
        (
            {"openvpn": [{**OPENVPN, "peer_fingerprint": ":".join(["ab"] * 32)}]},
            "openvpn[0].peer_fingerprint: the peer is known by ca, or by peer_fingerprint, not by both",
        ),
        (
            {"openvpn": [{**OPENVPN, "ca": None, "peer_fingerprint": "ab:cd"}]},
            "openvpn[0].peer_fingerprint: a SHA-256 fingerprint is 32 pairs of hexadecimal digits with : between them "
            "(here: ab:cd)",
        ),
        (
            {"openvpn": [{**OPENVPN, "address": "10.96.96.2"}]},
            "openvpn[0].address: the address of a link needs the prefix length of its segment, as in 10.10.0.187/24 "
            "(here: 10.96.96.2)",
        ),
        (
            {"openvpn": [{**OPENVPN, "key": "/etc/$(reboot)"}]},
            "openvpn[0].key: a file on the node is named from /, with letters, digits and _ . / @ + - "
            "(here: /etc/$(reboot))",
        ),
        (
            {"openvpn": [{**OPENVPN, "dev": "tap@x"}]},
            "openvpn[0].dev: the name of an OpenVPN device has letters, digits and _ . - (it becomes that of a unit) "
            "(here: tap@x)",
        ),
        (
            {"openvpn": [{**OPENVPN, "remote": "10.0.0.1", "local": "2001:db8::1"}]},
            "openvpn[0].local: local and remote must be of one address family (here: 2001:db8::1)",
        ),
        (
            {"openvpn": [OPENVPN, {**OPENVPN, "dev": "tap-core", "port": 1195}]},
            "openvpn[1].dev: tap-core stands there twice",
        ),
        (
            {"openvpn": [OPENVPN, {**OPENVPN, "dev": "tap-2"}]},
            "openvpn[1]: another one listens on udp port 1194 already",
        ),
        (
            {"ldp": LDP},
            "ldp.interfaces[0]: LDP lets neighbours send labelled packets in by eth0, so mpls_input must name it, too",
        ),
        (
            {"mpls_input": ["eth0"], "ldp": {**LDP, "interfaces": []}},
            "ldp.interfaces: LDP runs on at least one interface",
        ),
        (
            {"mpls_input": ["eth0"], "ldp": {**LDP, "interfaces": ["eth0", "eth0"]}},
            "ldp.interfaces[1]: eth0 stands there twice",
        ),
        (
            {"mpls_input": ["lo"], "ldp": {**LDP, "interfaces": ["lo"]}},
            "ldp.interfaces[0]: LDP has no neighbours on lo",
        ),
        (
            {"mpls_input": ["eth0"], "ldp": {**LDP, "router_id": 1}},
            "ldp.router_id: should be written as an IPv4 address, as in 10.0.0.1",
        ),
        (
            {"mpls_input": ["eth0"], "ldp": {**LDP, "router_id": "0.0.0.0"}},
            "ldp.router_id: should be an address of this router, which no other router has (here: 0.0.0.0)",
        ),
        (
            {"mpls_input": ["eth0"], "ldp": LDP, "platform_labels": 16},
            "platform_labels: LDP needs labels: platform_labels above 16",
        ),
    ],
)
def test_what_a_node_cannot_be_is_refused_with_its_place_and_the_rule(values: dict[str, Any], refusal: str) -> None:
    assert refusals(**values) == [refusal]


def test_an_openvpn_and_an_ldp_that_can_work_are_taken() -> None:
    spec = NodeSpec.model_validate(
        {
            "mpls_input": ["eth0"],
            "openvpn": [OPENVPN, {**OPENVPN, "dev": "tap-2", "remote": "192.0.2.1", "ca": None, **FINGERPRINT}],
            "ldp": {**LDP, "ospf_area": 0},
        }
    )
    assert spec.openvpn[1].peer_fingerprint == ":".join(["AB"] * 32)
    assert spec.ldp is not None
    assert str(spec.ldp.ospf_area) == "0.0.0.0"


FINGERPRINT = {"peer_fingerprint": ":".join(["ab"] * 32)}


def test_a_compact_spec_leaves_out_what_goes_without_saying_and_is_read_again_as_the_same() -> None:
    spec = NodeSpec.model_validate(
        {
            "mpls_input": ["eth0"],
            "routes": [{"swap": 100, "nexthops": [{**HOP, "as": [200]}]}, {"pop": 101, "dev": "lo"}],
            "openvpn": [OPENVPN],
        }
    )
    compact = spec.compact()
    assert compact == {
        "platform_labels": 100_000,
        "mpls_input": ["eth0"],
        "routes": [{"swap": 100, "nexthops": [{"via": "10.0.0.1", "as": [200]}]}, {"pop": 101, "dev": "lo"}],
        "openvpn": [OPENVPN],
    }
    assert NodeSpec.model_validate(compact) == spec


STACKS = st.lists(st.integers(16, 1_048_575), min_size=1, max_size=30)
VIAS = st.ip_addresses(network="10.0.0.0/24").map(str)
NEXT = st.fixed_dictionaries({"via": VIAS}, optional={"dev": st.sampled_from(["eth0", "eth0.100", "vpn"])})
PUSHES = st.one_of(
    st.fixed_dictionaries({"push": STACKS, "via": VIAS}, optional={"mtu": st.integers(68, 9000), "ttl": st.just(9)}),
    st.fixed_dictionaries({"nexthops": st.tuples(st.fixed_dictionaries({"via": VIAS, "push": STACKS}))}),
)
LABELLED = st.one_of(
    st.builds(lambda stack, hop: {"as": stack, **hop}, STACKS, NEXT),
    st.builds(lambda stack, hop: {"as": stack, "nexthops": [hop], "ttl_propagate": False}, STACKS, NEXT),
)


@given(st.lists(PUSHES, max_size=5), st.lists(LABELLED, max_size=5), st.lists(NEXT, max_size=5), st.integers(500, 9999))
def test_any_spec_is_read_again_as_the_same_from_what_is_left_on_the_node(
    pushes: list[dict[str, Any]], swaps: list[dict[str, Any]], pops: list[dict[str, Any]], size: int
) -> None:
    routes = [{**route, "to": f"192.168.{index}.0/24"} for index, route in enumerate(pushes)]
    routes += [{**route, "swap": 100 + index} for index, route in enumerate(swaps)]
    routes += [{**route, "pop": 200 + index} for index, route in enumerate(pops)]
    spec = NodeSpec.model_validate({"routes": routes, "platform_labels": size})
    assert NodeSpec.model_validate(json.loads(json.dumps(spec.compact()))) == spec
    assert "null" not in json.dumps(spec.compact())


def test_what_a_run_allows_is_no_part_of_what_is_left_on_the_node() -> None:
    spec = NodeSpec().allowing(["shrink"]).allowing(["shrink", "default-route"])
    assert spec.allow == ("shrink", "default-route")
    assert spec.compact() == {"platform_labels": 100_000}


def test_incoming_labels_are_below_the_size_of_the_table() -> None:
    assert refusals(platform_labels=101, routes=[{"pop": 101, "dev": "lo"}]) == [
        "routes[0].pop: label 101 needs platform_labels above 101: it is 101"
    ]
    assert NodeSpec.model_validate({"platform_labels": 102, "routes": [{"pop": 101, "dev": "lo"}]})


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
        ("-a", "an interface name here cannot begin with -: tools would take it for an option (here: -a)"),
        ("a'b", "an interface name cannot hold \"'\" (here: a'b)"),
        ("$(reboot)", "an interface name cannot hold '$' (here: $(reboot))"),
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
    assert refusals(mpls_input=["eth0", "eth0"]) == ["mpls_input[1]: eth0 stands there twice"]


def test_each_thing_that_is_wrong_in_a_spec_is_one_problem() -> None:
    with pytest.raises(ValidationError) as caught:
        NodeSpec.model_validate({"mpls_input": ["a b"], "routes": [{"pop": 3, "dev": "lo"}]})
    assert [str(problem) for problem in problems(caught.value)] == [
        "mpls_input[0]: an interface name cannot hold ' ' (here: 'a b')",
        "routes[0].pop: an incoming label is 16 to 1048574 (here: 3)",
    ]
