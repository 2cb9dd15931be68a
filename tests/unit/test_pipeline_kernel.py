"""The kernel that the pipeline builds by default can do what our own cures, docs and labs tell people to do with it."""

import re
from pathlib import Path

import pytest

from mplskit.config.config_request import make_request
from mplskit.config.flags import ConfigFlags
from mplskit.config.fragment import read_fragment
from mplskit.lab.machine.initramfs import FOR_THE_DISK, WANTED
from mplskit.node.verify.checklist import Condition, load_checklist
from mplskit.paths import data

ROOT = Path(__file__).parents[2]
RELEASES = ["6.1.192", "6.12.117"]
# What a text may name, and what a kernel needs for it.
NAMED = {
    r"GRE|gretap|ip6gre": {"NET_IPGRE", "IPV6_GRE"},
    r"IPIP|ipip|ip6tnl": {"NET_IPIP", "IPV6_TUNNEL"},
    r"SIT|sit": {"IPV6_SIT"},
    r"bareudp": {"BAREUDP"},
    r"VXLAN|vxlan": {"VXLAN"},
    r"WireGuard|wireguard": {"WIREGUARD"},
    r"PPP|ppp": {"PPP"},
    r"PPPoE|PPP over Ethernet": {"PPPOE"},
    r"tun|TUN|TUN/TAP|taps?": {"TUN"},
    r"VLANs?|vlan|802\.1Q": {"VLAN_8021Q"},
    r"bond(ing|s)?": {"BONDING"},
    r"bridges?": {"BRIDGE"},
    r"VRFs?|vrf": {"NET_VRF", "IP_MULTIPLE_TABLES", "IPV6_MULTIPLE_TABLES"},
    r"macvlan": {"MACVLAN"},
    r"veth": {"VETH"},
    r"dummy": {"DUMMY"},
    r"netem": {"NET_SCH_NETEM"},
    r"tcpdump": {"PACKET"},
    r"netns|network namespaces?": {"NET_NS"},
    r"OSPF|LDP": {"IP_MULTICAST"},
    r"ECMP|nexthops|several next hops": {"IP_ROUTE_MULTIPATH"},
    r"udev": {"SYSFS"},
    r"MemoryMax": {"MEMCG"},
    r"RestrictAddressFamilies": {"SECCOMP", "SECCOMP_FILTER"},
}
# Of all docs those that speak of a node or a lab; options.md and audit.md speak of every kernel that there is.
DOCS = ["carriers", "inventory", "lab", "node", "pipeline", "services", "tutorial", "image"]
MODULES = {
    "mpls_router": "MPLS_ROUTING",
    "mpls_gso": "NET_MPLS_GSO",
    "af_packet": "PACKET",
    "8021q": "VLAN_8021Q",
    "vrf": "NET_VRF",
    "ip_gre": "NET_IPGRE",
    "ip6_gre": "IPV6_GRE",
    "ipip": "NET_IPIP",
    "ip6_tunnel": "IPV6_TUNNEL",
    "sit": "IPV6_SIT",
    "tcp_diag": "INET_DIAG",
}


def granted(release: str) -> set[str]:
    """What the default kernel of ci.pipeline has, in or as a module."""
    base = read_fragment(data("kconfig") / "bases" / "guest.config")
    request = make_request(ConfigFlags(options=("lab",)))
    settings = [setting for setting in (*base, *request.settings) if setting.is_for(release)]
    return {setting.symbol for setting in settings if setting.value in ("y", "m")}


def named(text: str) -> set[str]:
    """The symbols for all that a text names."""
    found = (symbols for words, symbols in NAMED.items() if re.search(rf"(?<![\w-])({words})(?![\w-])", text))
    return set().union(*found)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("condition", load_checklist().values(), ids=lambda condition: condition.id)
def test_a_cure_can_be_followed_on_the_default_kernel(condition: Condition, release: str) -> None:
    assert set(condition.needs) - granted(release) == set()


@pytest.mark.parametrize("condition", load_checklist().values(), ids=lambda condition: condition.id)
def test_a_condition_says_what_the_things_need_that_it_names(condition: Condition) -> None:
    assert named(f"{condition.cause} {condition.cure}") - set(condition.needs) == set()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("page", DOCS)
def test_what_the_docs_speak_of_is_in_the_default_kernel(page: str, release: str) -> None:
    assert named((ROOT / "docs" / f"{page}.md").read_text()) - granted(release) == set()


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("folder", ["bootstrap", "topologies", "mplskit/node", "mplskit/lab"])
def test_what_is_rendered_run_or_told_on_a_node_is_in_the_default_kernel(folder: str, release: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sh", ".yaml", ".j2")]
    assert named("\n".join(path.read_text() for path in files)) - granted(release) == set()


@pytest.mark.parametrize("release", RELEASES)
def test_each_module_that_a_labs_machine_brings_is_in_the_default_kernel(release: str) -> None:
    symbols = {MODULES.get(name, name.upper()) for name in WANTED if name not in FOR_THE_DISK}
    renamed = {"SCH_NETEM": "NET_SCH_NETEM", "SCH_TBF": "NET_SCH_TBF", "SCH_FQ_CODEL": "NET_SCH_FQ_CODEL"}
    assert {renamed.get(symbol, symbol) for symbol in symbols} - granted(release) == set()


def test_a_word_is_found_where_it_stands_alone() -> None:
    assert named("GRE through a tun, or a tap") == {"NET_IPGRE", "IPV6_GRE", "TUN"}
    assert named("congress, tunnel, tuning, taped") == set()
