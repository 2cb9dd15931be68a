"""OpenVPN and LDP of a node, as files, units and daemons: golden/node-openvpn-*.txt, golden/node-frr-*.txt."""

import io
import tarfile
from typing import Any

import pytest
from pydantic import ValidationError

from mplskit.node.grammar.spec import NodeSpec, problems
from mplskit.node.payload.payload import archive
from mplskit.node.payload.render import frr_daemons, render, services
from tests.golden import assert_golden

KEYS = {"cert": "/etc/openvpn/a.crt", "key": "/etc/openvpn/a.key"}
CA = {**KEYS, "ca": "/etc/openvpn/ca.crt"}
FINGERPRINT = {**KEYS, "peer_fingerprint": ":".join(["AB"] * 32)}
LDP = {"router_id": "10.255.0.1", "interfaces": ["eth0", "eth0.100"]}
INPUT = ["eth0", "eth0.100"]


def spec(**values: Any) -> NodeSpec:
    return NodeSpec.model_validate(values)


@pytest.mark.parametrize(
    ("case", "vpn"),
    [
        ("calls", {"dev": "tap0", "address": "10.96.96.2/30", "remote": "192.0.2.10", **FINGERPRINT}),
        ("listens", {"dev": "tap0", "address": "10.96.96.1/30", "mtu": 1400, **CA}),
        (
            "calls-from-one-address-by-tcp",
            {
                **{"dev": "tap0", "address": "2001:db8:96::2/64", "remote": "2001:db8::10", "local": "2001:db8::1"},
                **{"port": 443, "proto": "tcp", **CA},
            },
        ),
        (
            "listens-at-one-address",
            {"dev": "tap0", "address": "10.96.96.1/30", "local": "192.0.2.10", "proto": "tcp", **FINGERPRINT},
        ),
    ],
)
def test_openvpn_reads_like_this(case: str, vpn: dict[str, Any]) -> None:
    assert_golden(f"node-openvpn-{case}", render(spec(openvpn=[vpn]))["/etc/openvpn/mplskit-tap0.conf"], {})


@pytest.mark.parametrize(
    ("case", "ldp"),
    [
        ("ldp", {**LDP, "transport_address": "10.255.0.2", "allocate": "host-routes"}),
        ("ldp-and-ospf", {**LDP, "ospf_area": 0}),
    ],
)
def test_frrouting_reads_like_this(case: str, ldp: dict[str, Any]) -> None:
    assert_golden(f"node-frr-{case}", render(spec(mpls_input=INPUT, ldp=ldp))["/etc/frr/frr.conf"], {})


def test_a_node_without_sections_has_neither_files_nor_units_for_them() -> None:
    assert not [path for path in render(spec()) if "openvpn" in path or "frr" in path]
    assert list(services(spec())) == ["mplskit-routes.service"]


def test_each_unit_is_restarted_by_what_it_reads() -> None:
    node = spec(
        mpls_input=INPUT,
        ldp=LDP,
        openvpn=[
            {"dev": "tap0", "address": "10.96.96.2/30", **CA},
            {"dev": "tap-b", "address": "10.96.97.2/30", "port": 1195, **FINGERPRINT},
        ],
    )
    assert {unit: files for unit, files in services(node).items() if unit != "mplskit-routes.service"} == {
        "openvpn@mplskit-tap0.service": (
            *("/etc/openvpn/mplskit-tap0.conf", "/etc/openvpn/a.crt", "/etc/openvpn/a.key", "/etc/openvpn/ca.crt"),
        ),
        "openvpn@mplskit-tap-b.service": (
            *("/etc/openvpn/mplskit-tap-b.conf", "/etc/openvpn/a.crt", "/etc/openvpn/a.key"),
        ),
        "frr.service": ("/etc/frr/frr.conf", "/etc/frr/daemons"),
    }


def test_only_the_daemons_that_are_needed_are_switched_on() -> None:
    assert frr_daemons(spec()) == ()
    assert frr_daemons(spec(mpls_input=INPUT, ldp=LDP)) == ("ldpd",)
    assert frr_daemons(spec(mpls_input=INPUT, ldp={**LDP, "ospf_area": 0})) == ("ldpd", "ospfd")


def test_the_payload_names_the_daemons_and_the_packages() -> None:
    stream = io.BytesIO(b"".join(archive(spec(mpls_input=INPUT, ldp={**LDP, "ospf_area": 0}))))
    with tarfile.open(fileobj=stream) as tar:
        wanted = {name: tar.extractfile(name) for name in tar.getnames() if name.startswith("want/")}
        assert {name: file.read() for name, file in wanted.items() if file and name != "want/services"} == {
            "want/apt": b"frr\n",
            "want/frr": b"ldpd\nospfd\n",
        }


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        (
            {"ldp": LDP, "routes": [{"pop": 16, "dev": "lo"}]},
            "routes[0].pop: label 16 is one of those that LDP gives, 16 to 15999 (ldp.last_label)",
        ),
        (
            {"ldp": {**LDP, "last_label": 999}, "routes": [{"swap": 999, "as": [17], "via": "10.0.0.1"}]},
            "routes[0].swap: label 999 is one of those that LDP gives, 16 to 999 (ldp.last_label)",
        ),
        (
            {"ldp": LDP, "platform_labels": 500, "routes": [{"pop": 499, "dev": "lo"}]},
            "routes[0].pop: label 499 is one of those that LDP gives, 16 to 499 (ldp.last_label)",
        ),
        (
            {"openvpn": [{"dev": "tap0", "address": "10.96.96.2/30", **CA, "key": "/root/a.key"}]},
            "openvpn[0].key: OpenVPN's unit sees no files in /home/, /root/, /run/user/, /tmp/, /var/tmp/: "
            "put it into /etc/openvpn (here: /root/a.key)",
        ),
    ],
)
def test_what_cannot_work_beside_a_section_is_refused(values: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec(mpls_input=INPUT, **values)
    assert [str(fault) for fault in problems(caught.value)] == [refusal]


def test_a_next_hop_in_a_tunnel_is_looked_for_there_alone() -> None:
    routes = [
        {"swap": 20_000, "as": [20_001], "nexthops": [{"via": "10.96.96.1"}, {"via": "10.0.0.1"}]},
        {"pop": 20_002, "via": "10.96.96.1", "dev": "eth0"},
        {"push": [17], "to": "10.9.0.0/16", "via": "10.96.96.1"},
    ]
    files = render(spec(openvpn=[{"dev": "tap0", "address": "10.96.96.2/30", **CA}], routes=routes))
    assert [line for line in files["/etc/mplskit/labels.batch"].splitlines() if line.startswith("route")] == [
        "route add 20000 proto 77 nexthop as 20001 via inet 10.96.96.1 dev tap0 nexthop as 20001 via inet 10.0.0.1",
        "route add 20002 proto 77 via inet 10.96.96.1 dev eth0",
    ]
    assert files["/etc/mplskit/routes.batch"].splitlines()[-1] == (
        "route add 10.9.0.0/16 proto 77 encap mpls 17 via 10.96.96.1 dev tap0"
    )


def test_labels_beyond_those_of_ldp_are_free() -> None:
    routes = [{"pop": 16_000, "dev": "lo"}, {"push": [17], "to": "10.9.0.0/16", "via": "10.0.0.1"}]
    assert len(spec(mpls_input=INPUT, ldp=LDP, routes=routes).routes) == 2
    assert len(spec(mpls_input=INPUT, ldp={**LDP, "last_label": 99}, routes=[{"pop": 100, "dev": "lo"}]).routes) == 1
