"""Each way in which the payload fails or refuses, by the words in its source, and the test that sees it happen.

Those that no other test brings about are brought about here.
"""

import re
from pathlib import Path

import pytest

from mplskit.debian.package_file import read_deb
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload.session_opening import script
from mplskit.node.payload_report import Item
from mplskit.paths import data
from tests.worlds.contained_node import NO_TOOL, SPEC, contained, failures
from tests.worlds.contained_services import FRR, LDP, SYSTEMD, ran
from tests.worlds.package_file import example_deb

pytestmark = pytest.mark.usefixtures("namespaces")

HERE = Path(__file__)
LOST = "test_a_file_of_routes_that_is_lost_or_edited_is_told_once_and_changes_nothing"
# The words of a source, and where a test brings them about: here, or the name of another test.
SEEN = {
    "apply.sh ended before it was through (%s)": "test_nothing_of_ours_is_written_and_the_cause_is_told_where",
    "node, plan, remove, image or live, not '$mode'": "test_an_unknown_mode_is_refused",
    "must run as root, not as $(id -un)": "test_another_user_than_root_is_refused_in_one_line",
    "${title:-an unknown system}: mplskit sets up $known, and what is made of them": (
        "test_another_or_an_older_system_is_refused_and_nothing_is_changed"
    ),
    "$title is too old: mplskit sets up $known": "test_another_or_an_older_system_is_refused_and_nothing_is_changed",
    "$title: there is no dpkg": "test_a_machine_without_dpkg_is_refused",
    "not on this node:$lost: apt-get install --reinstall coreutils diffutils findutils grep mawk sed util-linux": (
        "test_nothing_of_ours_is_written_and_the_cause_is_told_where"
    ),
    "$error$(where_module_is ": "test_a_node_without_mpls_gets_its_files_and_is_told_what_failed",
    "is an altname of $real": "test_an_altname_is_refused_before_anything_is_changed",
    "carries the default route: whoever reaches it could inject any label": (
        "test_an_input_on_the_default_route_is_refused_before_anything_is_written_unless_it_is_allowed"
    ),
    "takes the place of the node's default route${others": ("test_half_of_all_addresses_or_more_is_a_default_route"),
    "is neither point-to-point nor without ARP": (
        "test_labels_without_a_next_hop_go_only_by_what_is_point_to_point_or_knows_no_arp"
    ),
    "is not there, so whether labelled packets need a next hop": (
        "test_labels_without_a_next_hop_go_only_by_what_is_point_to_point_or_knows_no_arp"
    ),
    "its IPv6 default route comes by router advertisements": "here",
    "could not be recorded: $error": "test_nothing_of_ours_is_written_and_the_cause_is_told_where",
    "no ip of iproute2 on this node": "test_without_ip_the_files_are_written_and_the_routes_fail",
    "there is no /proc/sys/net/mpls: mpls_router is not loaded": (
        "test_a_node_without_mpls_gets_its_files_and_is_told_what_failed"
    ),
    "this kernel accepts no labels on such an interface": "here",
    "this kernel has no such sysctl": "here",
    "no such interface; the node has $(interfaces)": (
        "test_an_interface_that_is_not_there_is_waited_for_and_the_node_names_those_that_it_has"
    ),
    "$why": "test_without_ipv6_its_parts_fail_with_that_cause_and_the_others_are_done",
    "$state/lock is held for 120 s": "here",
    "$version was not brought, and this node does not have it": "here",
    "dpkg: $(last_lines)": "test_a_package_that_dpkg_refuses_fails_with_its_words",
    "apt: $(last_lines)": "test_a_repository_signed_by_another_key_is_refused",
    "they could not be compared with the kernel's": "here",
    "what came of them could not be found out": "here",
    "$work/$file cannot be written": "here",
    "$state/routes cannot be written": "here",
    "$known cannot be written": "here",
    "cannot be written": "here",
    "ip does not tell its addresses": "here",
    "is not there: its routes stay as they are": LOST,
    "is not what node.bootstrap wrote": LOST,
    "$1": "test_the_keeper_ends_with_its_monitor_and_says_so",
    "is not there, and $1 needs it: bring it to the node first": "test_missing_keys_are_named_in_a_plan_too",
    "$version knows no peer by its fingerprint, 2.6 does: let $1 have ca instead": (
        "test_an_openvpn_that_knows_no_fingerprints_is_told_beforehand"
    ),
    "was written by hand and is left alone: take ldp out of the spec": (
        "test_a_configuration_by_hand_is_refused_in_a_plan_too"
    ),
    "daemon-reload: $error": "here",
    "$error": "here",
    "$2": "test_another_user_than_root_is_refused_in_one_line",
    "there is one already that is not ours; it is left alone": (
        "test_addresses_and_routes_come_once_are_changed_and_go_and_those_of_others_stay"
    ),
    "it is there and ours, which did not show before: run it again: ": (
        "test_a_changed_route_that_a_look_did_not_show_is_not_taken_for_anothers"
    ),
    "another run has been at work here for 120 s": "here",
    "not on this node: flock": "here",
    "$d": "here",
    "the payload could not be unpacked in /var/tmp: $t": (
        "test_a_disk_that_is_full_in_the_middle_is_told_and_leaves_nothing"
    ),
}
FAILS = re.compile(
    r"""(?:refuse \w+|report (?:failed|waits|"\$unready") (?:"\$\w+"|\w+) (?:"[^"]*"|[\w/]+)|\|\| failed \w+"""
    r"""|tell\("failed",)\s+(?:\\\n\s*)?["']([^"]+)"""
)


def told(folder: Path, script: str, spec: NodeSpec = SPEC) -> list[tuple[str, str, str]]:
    """What failed, in the words of a script that runs apply.sh."""
    stage(folder / "stage", spec)
    return failures(contained(folder / "stage", script))


def test_each_failure_of_the_payload_has_a_test_that_sees_it() -> None:
    sources = [path.read_text() for path in sorted((data("bootstrap") / "payload").glob("*.sh"))]
    found = {words for text in [*sources, script("node", asks=True)] for words in FAILS.findall(text)}
    unseen = {words for words in found if not any(words.startswith(known) for known in SEEN)}
    assert unseen == set()
    tests = "".join(path.read_text() for path in HERE.parent.glob("test_node_*.py"))
    assert [name for name in SEEN.values() if name != "here" and f"def {name}(" not in tests] == []


def test_a_default_route_by_router_advertisements_is_not_given_up_for_forwarding(tmp_path: Path) -> None:
    spec = NodeSpec.model_validate({"ip_forward": True, "loopbacks": ["2001:db8::1/128"]})
    there = """\
ip link add eth0 type veth peer name far && ip link set eth0 up && ip link set far up
ip -6 address add 2001:db8:2::2/64 dev eth0 nodad; ip -6 route add default via 2001:db8:2::1 dev eth0 proto ra
sh "$APPLY" plan; echo 2 >/proc/sys/net/ipv6/conf/eth0/accept_ra; sh "$APPLY" plan | grep advertisements"""
    assert told(tmp_path, there, spec) == [
        (
            "interface",
            "eth0",
            "its IPv6 default route comes by router advertisements, which are ignored once the node forwards: set "
            "net.ipv6.conf.eth0.accept_ra = 2 first (--allow default-route goes on without)",
        )
    ]


def test_a_sysctl_that_the_kernel_does_not_have_or_does_not_take_is_told(tmp_path: Path) -> None:
    hide = """\
mkdir -p /run/none /proc/sys/net/mpls; mount --bind /run/none /proc/sys/net/ipv4
sh "$APPLY" node"""
    spec = NodeSpec.model_validate({"ip_forward": True})
    assert ("sysctl", "net/ipv4/ip_forward", "this kernel has no such sysctl") in told(tmp_path, hide, spec)
    fixed = """\
echo 0 >/run/fixed; mount --bind /run/fixed /proc/sys/net/ipv4/ip_forward; mount -o remount,ro,bind /run/fixed \
    /proc/sys/net/ipv4/ip_forward; sh "$APPLY" node"""
    said = [detail for _, name, detail in told(tmp_path, fixed, spec) if name == "net/ipv4/ip_forward"]
    assert [detail[-len("Read-only file system stays 0") :] for detail in said] == ["Read-only file system stays 0"]


def test_a_run_that_waits_too_long_for_another_one_says_so(tmp_path: Path) -> None:
    """120 s are made none: in what waits for the keeper, and in what waits for another session."""
    stage(tmp_path / "stage", SPEC)
    (tmp_path / "opening").write_text(script("node").replace("-w 120", "-w 0"))
    held = """\
mkdir /run/mplskit; sed -i 's/-w 120/-w 0/' "${APPLY%/*}/live.sh"
flock /run/mplskit/lock sh "$APPLY" node; flock /root sh "${APPLY%/stage/*}/opening" </dev/null"""
    assert failures(contained(tmp_path / "stage", held)) == [
        ("node", "lock", "/run/mplskit/lock is held for 120 s"),
        ("node", "lock", "another run has been at work here for 120 s"),
    ]


def test_a_session_that_gets_no_folder_or_no_lock_says_so(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    (tmp_path / "opening").write_text(script("node"))
    begin = 'sh "${APPLY%/stage/*}/opening" </dev/null'
    full = f"mount -t tmpfs -o ro none /var/tmp; {begin}; {NO_TOOL.format('flock')}; {begin}"
    [(kind, name, detail), no_lock] = failures(contained(tmp_path / "stage", full))
    assert no_lock == ("node", "tools", "not on this node: flock: apt-get install --reinstall util-linux")
    assert (kind, name) == ("node", "space")
    assert detail.startswith("mktemp: failed to create directory via template")
    assert detail.endswith("Read-only file system")


def test_a_package_that_was_not_brought_and_is_not_there_fails(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC, [read_deb(example_deb(tmp_path, content="one"))])
    said = contained(tmp_path / "stage", 'rm "${APPLY%/*}"/packages/*; sh "$APPLY" image')
    assert failures(said) == [
        ("package", "mplskit-example", "1~2+mpls1 was not brought, and this node does not have it")
    ]


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ('sed -i "s/phase == .kernel. /exit 3; &/" "$here/routes.sh"', "they could not be compared with the kernel's"),
        ('sed -i "s/exit remember /exit 2; &/" "$here/routes.sh"', "what came of them could not be found out"),
        ("mount -t tmpfs -o ro none $state/work", "{state}/work/touched cannot be written"),
        ("mount --bind $state/routes $state/routes", "{state}/routes cannot be written"),
        (
            "mount --bind $state/routes $state/routes; mount -o remount,bind,ro $state/routes; echo >$state/work/said",
            "{state}/routes cannot be written",
        ),
    ],
)
def test_routes_whose_fate_is_not_known_are_told(broken: str, words: str, tmp_path: Path) -> None:
    begin = 'here=${APPLY%/*}; state=$here/run; mkdir -p $state/work "$here/files/etc/mplskit"; : >$state/routes; '
    begin += 'echo "route add 10.1.0.0/16 proto 77 dev lo" >"$here/files/etc/mplskit/routes.batch"; ip link set lo up; '
    failed = told(tmp_path, f'{begin}{broken}; sh "$APPLY" live')
    assert ("route", "routes", words.format(state=tmp_path / "stage" / "run")) in failed


def test_routes_files_that_cannot_be_recorded_are_told(tmp_path: Path) -> None:
    taken = 'mkdir -p /var/lib/mplskit/routes.sha256.new; sh "$APPLY" node'
    spec = NodeSpec.model_validate({"loopbacks": ["10.255.0.1/32"]})
    assert ("file", "/var/lib/mplskit/routes.sha256", "cannot be written") in told(tmp_path, taken, spec)


def test_addresses_stay_known_as_ours_when_ip_does_not_tell_them_for_once(tmp_path: Path) -> None:
    mute = r"""
sh "$APPLY" node >/dev/null
ip=$(readlink -f /sbin/ip); cp "$ip" /run/ip; cp "$state/addresses" /run/ours
printf '#!/bin/sh\ncase "$*" in *"address show dev lo"*) exit 1 ;; esac\nexec /run/ip "$@"\n' >/run/mute
chmod 755 /run/mute
mount --bind /run/mute "$ip"
sh "$APPLY" node
cmp /run/ours "$state/addresses" || printf 'failed\tnode\taddresses\tforgotten\n'"""
    spec = NodeSpec.model_validate({"loopbacks": ["10.255.0.1/32"]})
    failed = told(tmp_path, "state=/run/mplskit" + mute, spec)
    assert ("address", "lo", "ip does not tell its addresses") in failed
    assert ("node", "addresses", "forgotten") not in failed


def test_a_systemd_that_does_not_read_its_units_and_an_owner_that_is_not_there_are_told(tmp_path: Path) -> None:
    deaf = "sed -i '2i [ \"$1\" != daemon-reload ] || { echo no bus; exit 1; }' /usr/local/bin/systemctl"
    root = "echo root:x:0:0::/root:/bin/sh >/etc/passwd"
    said = ran(tmp_path, LDP, f'UNIT=none\n{SYSTEMD}\n{deaf}; {root}; sh "$APPLY" node')
    assert ("service", "systemd", "daemon-reload: no bus") in failures(said)
    [owner] = [detail for _, name, detail in failures(said) if name == FRR]
    assert owner.startswith("chown: invalid user")


def test_what_remove_cannot_take_away_is_told(tmp_path: Path) -> None:
    held = 'sh "$APPLY" image >/dev/null; mkdir -p /run/mplskit/busy; mount -t tmpfs none /run/mplskit/busy'
    [(kind, name, detail)] = [item for item in told(tmp_path, f'{held}; sh "$APPLY" remove') if item[0] == "node"]
    assert (kind, name) == ("node", "mplskit")
    assert "busy" in detail


def test_an_item_that_is_told_as_failed_is_no_other(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", 'sh "$APPLY" nodes')
    assert said == [Item("failed", "node", "mode", "node, plan, remove, image or live, not 'nodes'")]


@pytest.mark.parametrize("words", ['report failed file "$1" "new words"', 'refuse new "new words"'])
def test_new_words_are_found_in_a_source(words: str) -> None:
    assert FAILS.findall(words) == ["new words"]
