"""Each condition of the checklist on a node where it holds in the least usual way, and on one where it fails so.

The real suite asks a folder with real tools. A row has the one thing that differs from a node on which all hold.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mplskit import process
from mplskit.node.verify.checklist import load_checklist
from mplskit.node.verify.suite import Suite
from tests.worlds.stand_in_node import (
    KERNEL,
    LABELS,
    MPLS,
    PROBE,
    PUSH,
    SPEC,
    StandIn,
    Text,
    afstats,
    copy_userland,
    interfaces,
    link,
    ready,
)

MODULES = f"/lib/modules/{KERNEL}"
BUILT_IN = {
    "/proc/modules": None,
    **{f"/sys/module/{name}/initstate": None for name in MPLS},
    f"{MODULES}/modules.dep": "",
    f"{MODULES}/modules.builtin": "".join(f"kernel/net/mpls/{name}.ko\n" for name in MPLS),
}
READY = ready()
ROUTES: Any = SPEC.compact()["routes"]
DUMMY = PROBE.replace("127.0.0.2 lo", "192.0.2.2 probe0").replace("127.0.0.2 dev lo", "192.0.2.2 dev probe0")
SIX, ADDRESS = "2001:db8::2", "2001:db8::187/128"

# One of them is no route of a kind that is known here.
ALL_LABELS = (
    "20187 dev lo proto 77\n20100 as to 20200/20201/20202 via inet 10.9.0.2 dev eth1 proto 77 ttl-propagate disabled\n"
    "30000 as to 30100 via inet 10.9.0.2 dev eth1 proto 193\n30003 via link 52:54:00:00:00:02 dev eth1 proto 193\n"
    + "".join(f"{n} as to 3{n}/3{n} via inet 10.9.0.2 dev eth1 proto 193\n" for n in range(30001, 30003))
)

Files = Mapping[str, Text | None]
Says = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Case:
    """`way` says in which way the condition `id` holds, or does not; `seen` is a part of what is seen then."""

    id: str
    holds: bool
    way: str
    seen: str
    node: StandIn = field(repr=False)


def case(
    id: str,
    holds: bool,
    way: str,
    seen: str,
    files: Mapping[str, Text | None] = {},
    says: Mapping[str, Mapping[str, str]] = {},
    node: StandIn = READY,
    mounts: str = "",
) -> Case:
    return Case(id, holds, way, seen, node.but(files, says, mounts))


def asked(push: str = PUSH, labels: str = LABELS, **spec: Any) -> StandIn:
    """A ready node whose spec has other values."""
    return ready(SPEC.model_validate({**SPEC.compact(), **spec}), push, labels)


def unloaded(module: str) -> Files:
    """A module that is on disk, and not loaded."""
    others = "".join(f"{name} 45056 1 - Live 0x0000000000000000\n" for name in MPLS if name != module)
    return {"/proc/modules": others, f"/sys/module/{module}/initstate": None}


def input_of(name: str, value: int) -> Files:
    return {f"/proc/sys/net/mpls/conf/{name}/input": f"{value}\n"}


def state(enabled: str, active: str, sub: str) -> str:
    return f"ActiveState={active}\nSubState={sub}\nUnitFileState={enabled}\n"


def moved(path: str) -> Files:
    """A file that is a link to another place, with the text that it should have."""
    text = READY.files[path]
    return {f"/srv/elsewhere{path}": text, path: Path("/srv/elsewhere" + path)}


def changed(path: str, old: str, new: str) -> Files:
    text = READY.files[path]
    assert isinstance(text, str)
    assert old in text
    return {path: text.replace(old, new, 1)}


BATCH, SYSCTL = "/etc/mplskit/labels.batch", "/etc/sysctl.d/90-mplskit.conf"
UDEV, TABLE = "/etc/udev/rules.d/90-mplskit.rules", "/proc/sys/net/mpls/platform_labels"
NODE, LOADED = "/etc/mplskit/node.json", "/etc/modules-load.d/mplskit.conf"
BROUGHT = "/var/lib/mplskit/packages"
PORT = {"master": "br0", "linkinfo": {"info_slave_kind": "bridge"}}
ONE_BY_SIX = [{"push": [20101], "to": "2001:db8:1::/48", "via": SIX, "dev": "eth0"}]
SIX_PUSH = f"2001:db8:1::/48 encap mpls 20101 via {SIX} dev eth0 metric 1024 pref medium"


def by_six(**more: dict[str, str]) -> Says:
    return {"ip": {"*'inet route show'*": "", "*'inet6 route show'*": SIX_PUSH + "\n", **more.get("ip", {})}}


CASES = (
    case("N1", True, "through a link to another folder", "describes the node", moved(NODE)),
    case("N1", False, "cut off in the middle", "cannot be understood", {NODE: '{"spec": {"mpls_input": ["eth0"'}),
    case(
        "N5", True, "an iproute2 was brought after the running kernel", f"{KERNEL} was brought",
        {f"{BROUGHT}/linux-image-{KERNEL}": "1", f"{BROUGHT}/iproute2": "6.1"},
    ),
    case(
        "N5", False, "the running one was brought, and another after it", "6.18.1-mpls was brought",
        {f"{BROUGHT}/linux-image-{KERNEL}": "1", f"{BROUGHT}/linux-image-6.18.1-mpls": "1"},
    ),
    case(
        "K1", True, "no configuration can be read, and a push is kept", "a push of two labels is kept as written",
        {f"/boot/config-{KERNEL}": None},
    ),
    case(
        "K1", False, "its configuration says yes, `ip` exits 0, and the route has lost its labels", "push: `ip` took",
        says={"unshare": {"*": PROBE.replace(" encap mpls 16/17", "")}},
    ),
    case(
        "K5", True, "built in, with no modules.dep at all", f"{MODULES} has",
        {**BUILT_IN, f"{MODULES}/modules.dep": None},
    ),
    case(
        "K5", False, "the folder of the running kernel is gone after an upgrade", "kernels there: 6.1.0-22-amd64",
        {
            **BUILT_IN, f"{MODULES}/modules.dep": None, f"{MODULES}/modules.builtin": None,
            "/lib/modules/6.1.0-22-amd64/modules.dep": "",
        },
    ),
    case("K3", True, "built in, without a trace in /sys/module", "mpls_router is built in", BUILT_IN),
    case(
        "K3", False, "loaded, and no sysctls of it", "but there is no /proc/sys/net/mpls",
        {TABLE: None},
    ),
    case("K2", True, "built in, without a trace in /sys/module", "mpls_iptunnel is built in", BUILT_IN),
    case(
        "K2", False, "modprobe would do something else", "loading it would do: install /bin/false",
        unloaded("mpls_iptunnel"), {"modprobe": {"*dry-run*mpls_iptunnel": "install /bin/false\n"}},
    ),
    case("G1", True, "built in, without a trace in /sys/module", "mpls_gso is built in", BUILT_IN),
    case(
        "G1", False, "not loaded, and nothing may be loaded until the next boot", "modules_disabled is 1",
        {**unloaded("mpls_gso"), "/proc/sys/kernel/modules_disabled": "1\n"},
    ),
    case(
        "N8", True, "blacklisted, and built in", "no line of modprobe.d", BUILT_IN,
        {"modprobe": {"--showconfig": "blacklist mpls_router\n"}},
    ),
    case(
        "N8", False, "the last of a list on the command line, with a dash", "module_blacklist=floppy,mpls_gso",
        {"/proc/cmdline": "root=/dev/vda1 module_blacklist=floppy,mpls-gso quiet\n"},
    ),
    case(
        "K16", True, "the first ip is another's, and a later one iproute2's", "/bin/ip: ip utility, iproute2",
        says={"ip": {"-V": "BusyBox v1.35.0\n"}, "/bin/ip": dict(READY.says["ip"])},
    ),
    case(
        "K16", False, "an iproute2 from before labels", "says: Error: invalid family",
        says={"ip": {"'-f mpls route show'": "! Error: invalid family\n"}},
    ),
    case(
        "S17", True, "in a container that may", "writable, in a container (lxc)",
        says={"systemd-detect-virt": {"*": "lxc\n"}},
    ),
    case(
        "S17", False, "mounted read-only, and root asks", "read-only",
        mounts="mount --bind proc/sys proc/sys && mount -o remount,ro,bind proc/sys",
    ),
    case(
        "P1", True, "through a dummy", "through probe0",
        says={"unshare": {"*": DUMMY}},
    ),
    case(
        "P1", False, "a swap of one label for two keeps only one", "swap: `ip` took",
        says={"unshare": {"*": PROBE.replace("102/103", "102")}},
    ),
    case("S1", True, "larger than was asked for", "= 1048575, wanted", {TABLE: "1048575\n"}),
    case("S1", False, "one label too small", "= 99999, wanted 100000", {TABLE: "99999\n"}),
    case("S11", True, "by another number than 1", "eth0: input on", input_of("eth0", 5)),
    case(
        "S11", False, "on, at an interface that is a port of a bridge", "eth0 is a port of br0",
        {**input_of("br0", 0), **link("br0")},
        {"ip": {"*'link show'*": interfaces("lo", "br0", "tap-core", eth0=PORT)}},
    ),
    case("X1", True, "off at an interface with a dot in its name", "no other interface", input_of("eth0.100", 0)),
    case("X1", False, "at a VLAN of a named one, by another number than 1", "eth0.100", input_of("eth0.100", 2)),
    case("L2", True, "up, and its state is said to be down", "lo is up", link("lo", flags="0x9", state="down")),
    case("L2", False, "down, with all other flags", "lo is down", link("lo", flags="0xfffe", state="unknown")),
    case(
        "L3", True, "strict on lo, and loose on all", "2 counts",
        {"/proc/sys/net/ipv4/conf/all/rp_filter": "2\n", "/proc/sys/net/ipv4/conf/lo/rp_filter": "1\n"},
    ),
    case(
        "L3", False, "off on lo, and strict on all", "1 counts",
        {"/proc/sys/net/ipv4/conf/all/rp_filter": "1\n", "/proc/sys/net/ipv4/conf/lo/rp_filter": "0\n"},
    ),
    case(
        "L5", True, "lo accepts labels now, and counts what it dropped before", "lo accepts labelled packets",
        {"/proc/sys/net/mpls/conf/lo/input": "1\n"}, {"ip": {"*afstats*": afstats(lo=3)}},
    ),
    case(
        "L5", False, "an ip from before 5.19 tells it", "lo has dropped 3",
        says={"ip": {"*stats*show*": '! Object "stats" is unknown, try "ip help".\n', "*afstats*": afstats(lo=3)}},
    ),
    case(
        "L6", True, "there is no IPv6, and nothing asks for it", "ip_forward is 1",
        {"/proc/sys/net/ipv6/conf/all/forwarding": None},
    ),
    case(
        "L6", False, "only IPv6 is off, which a push asks for", "net/ipv6/conf/all/forwarding is 0",
        says=by_six(), node=asked(routes=ONE_BY_SIX),
    ),
    case(
        "R1", True, "an IPv6 address beside others", f"lo has {ADDRESS}",
        says={"ip": {"*'address show'*": f"1: lo inet6 ::1/128 scope host\n1: lo inet6 {ADDRESS} scope global\n"}},
        node=asked(loopbacks=["2001:0db8:0::187/128"]),
    ),
    case(
        "R1", False, "the address is there with another length", "lo has no 192.168.10.187/32",
        says={"ip": {"*'address show'*": "1: lo inet 192.168.10.187/24 scope global lo\n"}},
    ),
    case(
        "R2", True, "by an interface that the kernel chose, and with words that say nothing", "all 3 are as written",
        node=ready(push=PUSH.replace(" src", " proto 77 scope link pref medium src")),
    ),
    case(
        "R2", False, "the right labels in the wrong order", "192.168.10.152/32 wants",
        node=asked(
            push=PUSH.replace("20101", "20102/20101"),
            routes=[
                {**ROUTES[0], "push": [20101, 20102]},
                *ROUTES[1:],
            ],
        ),
    ),
    case(
        "R3", True, "an IPv4 default route by an IPv6 next hop is the one that was asked for", "no other route does",
        node=asked(
            f"default encap mpls 20101 via inet6 {SIX} dev eth0",
            routes=[{"push": [20101], "to": "0.0.0.0/0", "via": SIX, "dev": "eth0"}, *ROUTES[1:]],
            allow=["default-route"],
        ),
    ),
    case(
        "R3", False, "the prefix of one that was asked for, in another table", "192.168.10.152/32",
        node=ready(push=f"{PUSH}\n192.168.10.152 encap mpls 20101 via 10.9.0.2 dev eth0 table 100"),
    ),
    case("F11", True, "of unknown state, as virtual ones are", "eth0: up", link("eth0", state="unknown")),
    case(
        "F11", False, "up, and the kernel has marked the route", "eth0: linkdown",
        node=ready(labels=LABELS.replace("dev eth0", "dev eth0 linkdown")),
    ),
    case("F5", True, "GRE, which has no Ethernet addresses", "none is tun", link("eth0", type=778)),
    case("F5", True, "PPP, which has no Ethernet addresses either", "none is tun", link("eth0", type=512)),
    case("F5", False, "a tun", "eth0: tun or WireGuard", link("eth0", type=65534)),
    case(
        "F9", True, "the next hop's address failed on another link", "none of 1",
        says={"ip": {"*'neighbour show'*": "10.9.0.2 dev tap-core FAILED\n10.9.0.9 dev eth0 INCOMPLETE\n"}},
    ),
    case(
        "F9", False, "an IPv6 next hop that is just being asked", f"{SIX} on eth0",
        says=by_six(ip={"*'neighbour show'*": f"{SIX} dev eth0 router INCOMPLETE\n"}), node=asked(routes=ONE_BY_SIX),
    ),
    case("M1", True, "what comes in may be too large with one more label, and was not", "none was lost so far",
         link("eth0", mtu=1508),
         node=ready(labels=LABELS.replace("20200", "20200/20201"))),
    case(
        "M1", False, "a swap that adds a label, from an interface of more than 1500 to one of 1500", "MTU of eth1",
        {**link("eth0", mtu=9000), **link("eth1", mtu=1500)},
        {"ip": {"*'link show'*": interfaces("lo", "eth0", "eth1", "tap-core")}},
        node=ready(labels=LABELS.replace("20200 via inet 10.9.0.2 dev eth0", "20200/20201 via inet 10.9.0.2 dev eth1")),
    ),
    case(
        "M1", False, "LDP swaps one label for two, from an interface of more than 1500 to one of 1500",
        "eth1 for 30001: 1500, wanted 1508",
        {**link("eth0", mtu=9000), **link("eth1", mtu=1500)},
        {"ip": {
            "*'link show'*": interfaces("lo", "eth0", "eth1", "tap-core"),
            "*'mpls route show proto'*": LABELS,
            "*'mpls route show'*": ALL_LABELS,
        }},
    ),
    case("V1", True, "systemd tells its state in another order", "active (running)",
         says={"systemctl": {"*openvpn*": state("enabled", "active", "running")}}),
    case("V1", False, "active, and ended", "active (exited)",
         says={"systemctl": {"*openvpn*": state("enabled", "active", "exited")}}),
    case("D1", True, "as one of many processes", "and ldpd runs",
         {f"/proc/{number}/comm": "zebra\n" for number in range(900, 940)}),
    case("D1", False, "FRR runs, and ldpd does not", "and no ldpd runs", {"/proc/812/comm": "ldpd-watch\n"}),
    case("N2", True, "through a link to another folder", "as rendered", moved(LOADED)),
    case("N2", False, "the same modules, in one line", "not as rendered",
         changed(LOADED, "mpls_router\n", "mpls_router ")),
    case("N3", True, "through a link to another folder", "as rendered", moved(SYSCTL)),
    case("N3", False, "a smaller table than the spec has", "not as rendered", changed(SYSCTL, "100000", "99999")),
    case("N4", True, "through a link to another folder", "as rendered", moved(UDEV)),
    case("N4", False, "a link to nothing", "not there", {UDEV: Path("/srv/nothing")}),
    case("N6", True, "through a link to another folder", "as rendered", moved(BATCH)),
    case("N6", False, "a blank line more", f"{BATCH} is not as rendered", changed(BATCH, "\n", "\n\n")),
    case("N7", True, "systemd tells its state in another order", "active (running)",
         says={"systemctl": {"*mplskit-routes*": state("enabled", "active", "running")}}),
    case("N7", False, "enabled until the next boot only", "enabled-runtime",
         says={"systemctl": {"*mplskit-routes*": state("enabled-runtime", "active", "running")}}),
)  # fmt: skip


@pytest.fixture(scope="module")
def suite() -> Iterator[Suite]:
    if os.geteuid() != 0:
        pytest.skip("needs root, for chroot")
    with Suite() as running:
        yield running


@pytest.fixture(scope="module")
def userland(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("userland")
    copy_userland(folder)
    return folder


def verdicts(node: StandIn, suite: Suite, userland: Path, root: Path) -> dict[str, tuple[str, str]]:
    """What came of each condition there, and what was seen."""
    session = node.session(root, userland)
    try:
        return {result["id"]: (result["outcome"], result["seen"]) for result in suite.run(session)}
    finally:
        process.run(["rm", "-rf", root])


def test_all_conditions_hold_on_the_node_that_the_rows_differ_from(
    suite: Suite, userland: Path, tmp_path: Path
) -> None:
    found = verdicts(ready(), suite, userland, tmp_path / "node")
    assert {id: outcome for id, (outcome, _) in found.items()} == dict.fromkeys(load_checklist(), "passed")


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row.id} {'holds' if row.holds else 'fails'}: {row.way}")
def test_a_condition_is_told(row: Case, suite: Suite, userland: Path, tmp_path: Path) -> None:
    outcome, seen = verdicts(row.node, suite, userland, tmp_path / "node")[row.id]
    assert (outcome, row.seen in seen) == ("passed" if row.holds else "failed", True), seen


def test_every_condition_has_a_row_where_it_holds_and_one_where_it_fails() -> None:
    for holds in (True, False):
        assert {row.id for row in CASES if row.holds is holds} == set(load_checklist())
