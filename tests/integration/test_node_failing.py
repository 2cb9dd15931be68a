"""Whatever a node lacks or refuses, the payload says it in a line of its own: a run never fails without a cause."""

from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import FILES, NO_TOOL, SPEC, contained, failures

pytestmark = pytest.mark.usefixtures("namespaces")

IPV6 = NodeSpec.model_validate(
    {
        "ip_forward": True,
        "loopbacks": ["10.200.200.1/32", "2001:db8::1/128"],
        "routes": [{"push": [100], "to": "2001:db8:1::/48", "via": "fe80::2", "dev": "eth0"}],
    }
)
SYSCTL, LO = "/etc/sysctl.d/90-mplskit.conf", "/proc/sys/net/ipv4/conf/lo/rp_filter"
# As root in a namespace of ours: what the kernel says of a read-only or a full file system is real.
READ_ONLY = "mount -o remount,ro {}"
FULL = "mkdir -p {0}; mount -t tmpfs -o size=4k none {0}; head -c 4096 /dev/zero >{0}/full"
# Of dash and bash
FULL_SAYS = ("I/O error", "No space left on device")


def said_of(folder: Path, script: str, spec: NodeSpec = SPEC) -> list[Item | str]:
    stage(folder / "stage", spec)
    return contained(folder / "stage", script + '\nsh "$APPLY" node; echo "exit $?"')


def test_without_ipv6_its_parts_fail_with_that_cause_and_the_others_are_done(tmp_path: Path) -> None:
    """As `ipv6.disable=1` leaves it: no sysctls of IPv6 at all, and the module says why."""
    off = """\
mount -t tmpfs none /proc/sys/net/ipv6; echo 1 >/run/one
[ ! -e /sys/module/ipv6/parameters/disable ] || mount --bind /run/one /sys/module/ipv6/parameters/disable
ip link set lo up; echo 0 >/proc/sys/net/ipv4/ip_forward"""
    said = said_of(tmp_path, off, IPV6)
    because = "IPv6 is off on this node"
    if Path("/sys/module/ipv6/parameters/disable").exists():
        because += " (ipv6.disable=1)"
    told = failures(said)
    assert ("sysctl", "net/ipv6/conf/all/forwarding", because) in told
    assert ("address", "2001:db8::1/128", because) in told
    words = "2001:db8:1::/48 proto 77 encap mpls 100 via fe80::2 dev eth0"
    assert ("route", "2001:db8:1::/48", f"{because}: {words}") in told
    assert Item("changed", "sysctl", "net/ipv4/ip_forward", "0 -> 1") in said
    assert Item("changed", "address", "10.200.200.1/32", "added to lo") in said
    assert Item("changed", "file", SYSCTL, "written") in said
    assert said[-1] == "exit 1"


@pytest.mark.parametrize(
    ("broken", "cause"),
    [
        (
            READ_ONLY.format("/run"),
            ("node", "lock", "mkdir: cannot create directory '/run/mplskit': Read-only file system"),
        ),
        (
            READ_ONLY.format("/var/lib"),
            (
                "sysctl",
                "net/mpls/platform_labels",
                "could not be recorded: mkdir: cannot create directory '/var/lib/mplskit': Read-only file system",
            ),
        ),
        (
            FULL.format("/var/lib/mplskit"),
            ("sysctl", "net/mpls/platform_labels", "could not be recorded: "),
        ),
        (
            f"{NO_TOOL.format('flock')}; {NO_TOOL.format('cmp')}",
            (
                "node",
                "tools",
                "not on this node: cmp flock: apt-get install --reinstall coreutils diffutils findutils grep mawk sed "
                "util-linux",
            ),
        ),
        ('rm "${APPLY%/*}/records.sh"', ("node", "mplskit", "apply.sh ended before it was through (2)")),
    ],
    ids=["/run is read-only", "/var/lib is read-only", "/var/lib is full", "no tools", "a part is not there"],
)
def test_nothing_of_ours_is_written_and_the_cause_is_told_where(
    broken: str, cause: tuple[str, str, str], tmp_path: Path
) -> None:
    said = said_of(tmp_path, f"{broken}; exec 2>&1")
    assert said[-1] == "exit 1"
    ((kind, name, why),) = failures(said)
    assert (kind, name) == cause[:2]
    assert why == cause[2] or (cause[2].endswith(": ") and why.startswith(cause[2]) and why.endswith(FULL_SAYS))
    assert not [item for item in said if isinstance(item, Item) and item.state == "changed"]


def test_without_ip_the_files_are_written_and_the_routes_fail(tmp_path: Path) -> None:
    said = said_of(tmp_path, NO_TOOL.format("ip"))
    assert ("route", "ip", "no ip of iproute2 on this node") in failures(said)
    assert Item("changed", "file", SYSCTL, "written") in said


def test_a_read_only_etc_fails_file_by_file(tmp_path: Path) -> None:
    said = said_of(tmp_path, READ_ONLY.format("/etc"))
    told = {name: detail for kind, name, detail in failures(said) if kind == "file"}
    assert set(told) == {path for path in FILES if path.startswith("/etc")}
    assert all(detail.endswith("Read-only file system") for detail in told.values())


def test_what_cannot_be_recorded_when_a_file_goes_is_told_and_the_record_stays(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    script = 'sh "$APPLY" image >/dev/null; mount -o remount,ro /var/lib; sh "$APPLY" remove; echo "exit $?"'
    said = contained(tmp_path / "stage", f"{script}; ls -d /var/lib/mplskit")
    assert said[-2:] == ["exit 1", "/var/lib/mplskit"]
    assert any(
        name == SYSCTL and detail.startswith("could not be recorded: ") and detail.endswith("Read-only file system")
        for _, name, detail in failures(said)
    )


def test_an_image_without_systemd_is_told_that_no_unit_is_enabled(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", f'{NO_TOOL.format("systemctl")}; sh "$APPLY" image')
    assert said[-1] == Item("note", "service", "systemd", "is not here: no unit is enabled")
