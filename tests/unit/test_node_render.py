"""What a node is, as the files of that node: golden/node-*.txt."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.render import ROUTES_FILE, UNIT_FILE, keepers_memory, render
from tests.golden import assert_golden

LER = NodeSpec.model_validate(
    {
        "platform_labels": 1000,
        "mpls_input": ["eth0", "eth0.100"],
        "loopbacks": ["192.168.10.187/32"],
        "routes": [
            {"push": [101, 102], "to": "192.168.10.152/32", "via": "10.10.0.152", "src": "192.168.10.187"},
            {"push": [16], "to": "10.20.0.0/16", "via": "fe80::1", "dev": "eth0"},
            {"push": [17], "to": "2001:db8::/32", "via": "2001:db8:1::1"},
            {"swap": 100, "as": [200, 201], "via": "10.10.0.122", "dev": "eth0"},
            {"pop": 103, "via": "2001:db8:1::2"},
            {"pop": 101, "dev": "lo"},
        ],
    }
)

# An edge of several VPNs: what each kind of route can say.
PE = NodeSpec.model_validate(
    {
        "mpls_input": ["core1"],
        "routes": [
            {
                "push": [16],
                "to": "10.1.0.0/16",
                "table": 100,
                "mtu": 1400,
                "ttl": 9,
                "nexthops": [{"via": "10.0.0.1", "weight": 3}, {"via": "fe80::1", "dev": "core1", "push": [17, 18]}],
            },
            {"push": [0], "to": "10.2.0.0/16", "via": "10.0.0.1"},
            {"push": [2], "to": "2001:db8::/32", "via": "fe80::1", "dev": "core1", "table": 100, "src": "2001:db8::1"},
            {"push": [19], "to": "0.0.0.0/0", "via": "10.0.0.1", "table": 1000},
            {"pop": 100, "dev": "red", "ttl_propagate": False},
            {"pop": 101, "nexthops": [{"via": "10.0.0.1"}, {"via": "2001:db8::9"}], "ttl_propagate": True},
            {
                "swap": 102,
                "as": [0],
                "nexthops": [{"via": "10.0.0.1", "dev": "core1"}, {"via": "10.0.0.2", "as": [200, 201]}],
            },
        ],
    }
)


@pytest.mark.parametrize(
    "path", ["/etc/sysctl.d/90-mplskit.conf", "/etc/mplskit/routes.batch", "/etc/mplskit/labels.batch"]
)
def test_a_file_of_an_edge_of_vpns_reads_like_this(path: str) -> None:
    assert_golden(f"node-vpn-{Path(path).name}", render(PE)[path], {})


@pytest.mark.parametrize(
    "path",
    [
        "/etc/modules-load.d/mplskit.conf",
        "/etc/sysctl.d/90-mplskit.conf",
        "/etc/udev/rules.d/90-mplskit.rules",
        "/etc/mplskit/node.json",
        "/etc/mplskit/routes.batch",
        "/etc/mplskit/labels.batch",
        "/etc/systemd/system/mplskit-routes.service",
    ],
)
def test_a_file_of_a_node_reads_like_this(path: str) -> None:
    assert_golden(f"node-{Path(path).name}", render(LER)[path], {})


def test_a_node_without_routes_has_no_batch_of_them() -> None:
    assert set(render(NodeSpec())) == {
        "/etc/modules-load.d/mplskit.conf",
        "/etc/sysctl.d/90-mplskit.conf",
        "/etc/udev/rules.d/90-mplskit.rules",
        "/etc/mplskit/node.json",
        "/etc/systemd/system/mplskit-routes.service",
        "/usr/local/lib/mplskit/keep.sh",
        "/usr/local/lib/mplskit/live.sh",
        "/usr/local/lib/mplskit/routes.sh",
    }


def test_every_file_says_that_mplskit_wrote_it_and_ends_with_a_newline() -> None:
    for path, text in render(LER).items():
        assert ("Written by mplskit" in text) is not path.endswith(".sh")
        assert text.endswith("\n")


def test_only_a_node_that_delivers_or_forwards_has_sysctls_of_ip() -> None:
    def of_ip(**values: object) -> list[str]:
        text = render(NodeSpec.model_validate(values))["/etc/sysctl.d/90-mplskit.conf"]
        return [line for line in text.splitlines() if line.startswith("net/ip")]

    swap = {"swap": 100, "as": [200], "via": "10.0.0.1"}
    six = {"push": [100], "to": "2001:db8::/32", "via": "fe80::1", "dev": "eth0"}
    assert of_ip(routes=[swap]) == []
    assert of_ip(routes=[swap, six]) == []
    assert of_ip(routes=[{"pop": 100, "dev": "lo"}]) == ["net/ipv4/conf/lo/rp_filter = 2"]
    assert of_ip(routes=[{"pop": 100, "dev": "red"}]) == ["net/ipv4/ip_forward = 1"]
    assert of_ip(routes=[{"pop": 100, "dev": "red"}], ip_forward=False) == []
    assert of_ip(routes=[six], ip_forward=True) == ["net/ipv4/ip_forward = 1", "net/ipv6/conf/all/forwarding = 1"]


def test_rendering_twice_gives_the_same() -> None:
    assert render(LER) == render(LER.model_copy())


def test_the_keepers_memory_follows_from_its_routes_and_a_few_more_do_not_restart_it() -> None:
    line = len("route add 100000 proto 77 as 500000 via inet 10.96.0.2 dev core1\n")
    assert [keepers_memory(count * line) for count in (0, 10_000, 10_010, 100_000)] == [64, 64, 64, 256]
    assert "\nMemoryMax=64M\n" in render(NodeSpec())[UNIT_FILE]
    swaps = [{"swap": label, "as": [label], "via": "10.96.0.2", "dev": "core1"} for label in range(20_000, 40_000)]
    assert "\nMemoryMax=96M\n" in render(NodeSpec.model_validate({"routes": swaps}))[UNIT_FILE]


def test_a_next_hop_in_no_network_of_the_node_is_said_to_be_on_the_link() -> None:
    push = {"push": [100], "to": "10.1.0.0/16", "via": "10.8.0.2", "dev": "eth0", "onlink": True}
    hop = {"via": "10.8.0.2", "dev": "eth0", "onlink": True}
    ecmp = {"push": [100], "to": "10.2.0.0/16", "nexthops": [hop, {"via": "10.9.0.2"}]}
    lines = render(NodeSpec.model_validate({"routes": [push, ecmp]}))[ROUTES_FILE].splitlines()
    assert lines[-2:] == [
        "route add 10.1.0.0/16 proto 77 encap mpls 100 via 10.8.0.2 dev eth0 onlink",
        "route add 10.2.0.0/16 proto 77 nexthop encap mpls 100 via 10.8.0.2 dev eth0 onlink weight 1 "
        "nexthop encap mpls 100 via 10.9.0.2 weight 1",
    ]
