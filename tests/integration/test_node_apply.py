"""apply.sh for real: all that it writes to are empty folders of a namespace, so this machine stays as it is."""

from pathlib import Path

import pytest

from mplskit import process
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item, parse_line
from mplskit.paths import data
from tests.worlds.contained_node import FILES, KEEPER, SPEC, contained, files_of

pytestmark = pytest.mark.usefixtures("namespaces")


def test_an_image_gets_the_files_and_the_second_time_nothing_changes(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    script = 'sh "$APPLY" image; echo "exit $?"; sh "$APPLY" image; echo "exit $?"; stat -c %a /etc/sysctl.d/*'
    said = contained(tmp_path / "stage", script)
    first, second = said[: said.index("exit 0")], said[said.index("exit 0") + 1 :]
    assert first == [*(Item("changed", "file", path, "written") for path in FILES), first[-1]]
    assert first[-1] == Item("changed", "service", KEEPER, "enabled")
    assert second[-2:] == ["exit 0", "644"]
    assert second[:-2] == [*(Item("same", "file", path, "") for path in FILES), second[-3]]
    assert second[-3] == Item("same", "service", KEEPER, "enabled")


def test_an_image_that_gets_no_node_setup_is_no_node_that_was_set_up(tmp_path: Path) -> None:
    stage(tmp_path / "stage", None)
    assert contained(tmp_path / "stage", 'sh "$APPLY" image; echo "exit $?"; ls /etc /var/lib') == [
        *("exit 0", "/etc:", "", "/var/lib:", "dpkg")
    ]


def test_a_file_that_was_changed_by_hand_is_written_again(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    script = 'sh "$APPLY" image >/dev/null; echo x >>/etc/sysctl.d/90-mplskit.conf; sh "$APPLY" image | grep changed'
    assert contained(tmp_path / "stage", script) == [
        Item("changed", "file", "/etc/sysctl.d/90-mplskit.conf", "changed")
    ]


def test_a_file_that_cannot_be_written_fails_alone(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", ': >/etc/sysctl.d; sh "$APPLY" image; echo "exit $?"')
    assert said.pop() == "exit 1"
    states = {item.name: item.state for item in files_of(said)}
    assert states == {path: "failed" if "sysctl.d" in path else "changed" for path in FILES}


def test_a_plan_shows_the_differences_and_writes_nothing(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    tree = "find /etc /var/lib /usr/local /run -printf '%p %s %T@ %m\\n' | sort"
    own = "mkdir -p /etc/modules-load.d; printf 'mpls_router\\nmine\\n' >/etc/modules-load.d/mplskit.conf"
    script = f'{own}; before=$({tree}); sh "$APPLY" plan; [ "$before" = "$({tree})" ] && echo untouched'
    said = contained(tmp_path / "stage", script)
    assert said[-1] == "untouched"
    assert [item.detail for item in files_of(said) if item.name.endswith("modules-load.d/mplskit.conf")] == [
        "--- /etc/modules-load.d/mplskit.conf",
        "+++ /etc/modules-load.d/mplskit.conf",
        "@@ -1,2 +1,4 @@",
        "+# Written by mplskit: change the node's spec and run node.bootstrap again, not this file.",
        " mpls_router",
        "-mine",
        "+mpls_iptunnel",
        "+mpls_gso",
        "changed",
    ]


def test_a_plan_of_many_routes_on_a_fresh_node_is_an_item_for_each_and_no_long_difference(tmp_path: Path) -> None:
    routes = tuple({"swap": label, "as": [label], "via": "10.0.0.1"} for label in range(16, 12_016))
    stage(tmp_path / "stage", NodeSpec.model_validate({"routes": routes}))
    said = contained(tmp_path / "stage", 'sh "$APPLY" plan')
    items = [item for item in said if isinstance(item, Item)]
    assert sum(item.kind == "route" for item in items) == 12_000
    assert len(items) < 12_300
    diffs = {
        path: [item.detail for item in files_of(said) if (item.state, item.name) == ("diff", path)] for path in FILES
    }
    assert diffs["/usr/local/lib/mplskit/keep.sh"] == [f"(+{lines('keep.sh')} -0 lines)"]
    assert diffs["/usr/local/lib/mplskit/live.sh"] == [f"(+{lines('live.sh')} -0 lines)"]
    assert len(diffs["/etc/mplskit/node.json"]) == 101
    assert diffs["/etc/mplskit/node.json"][2:5] == [
        "@@ -0,0 +1,12008 @@",
        "+{",
        '+  "about": "Written by mplskit: the spec of this node, for the checks that run on it.",',
    ]
    assert diffs["/etc/mplskit/node.json"][-2:] == [
        '+      {"swap": 107, "as": [107], "via": "10.0.0.1"},',
        "(+12008 -0 lines)",
    ]


def lines(script: str) -> int:
    return len((data("bootstrap") / "payload" / script).read_text().splitlines())


def test_an_input_that_came_to_a_node_of_ours_by_a_renamed_card_goes_off_with_its_name_and_one_of_before_stays(
    tmp_path: Path,
) -> None:
    stage(tmp_path / "old", NodeSpec(mpls_input=("eth0", "ens9")))
    stage(tmp_path / "new", NodeSpec(mpls_input=("eth0", "wan0")))
    stage(tmp_path / "none", NodeSpec())
    script = f"""
    mount -t tmpfs none /proc/sys/net; mkdir -p /proc/sys/net/mpls/conf/eth0 /proc/sys/net/mpls/conf/ens9
    cd /proc/sys/net/mpls; echo 0 >platform_labels; echo 0 >conf/ens9/input; echo 1 >conf/eth0/input
    node() {{ sh {tmp_path}/$1/apply.sh node | grep -v same | grep /input; cat conf/*/input | xargs; }}
    node old; mv conf/ens9 conf/wan0; node new; node none
    """
    assert contained(tmp_path / "none", script) == [
        Item("changed", "sysctl", "net/mpls/conf/ens9/input", "0 -> 1"),
        "1 1",
        "1 1",
        Item("changed", "sysctl", "net/mpls/conf/wan0/input", "1 -> 0"),
        "1 0",
    ]


def test_an_input_on_the_default_route_is_refused_before_anything_is_written_unless_it_is_allowed(
    tmp_path: Path,
) -> None:
    stage(tmp_path / "stage", SPEC)
    links = "ip link add eth0 type veth peer name far && ip link set eth0 up && ip link set far up"
    route = f"{links} && ip address add 10.9.0.1/24 dev eth0 && ip route add default via 10.9.0.2"
    plan = 'sh "$APPLY" plan default-route | grep -c "carries the default route"'
    script = f'{route}; sh "$APPLY" node; echo "exit $?"; ls /etc; {plan}'
    assert contained(tmp_path / "stage", script) == [
        Item(
            "failed",
            "interface",
            "eth0",
            "carries the default route: whoever reaches it could inject any label "
            "(--allow default-route says that it may)",
        ),
        "exit 1",
        "0",
    ]


PLAIN = """\
ip link set lo up; ip link add eth0 type veth peer name far; ip link set far up; ip link set eth0 up
ip address add 10.9.0.1/24 dev eth0
mkdir -p "${APPLY%/*}/files/etc/mplskit" && cat >"${APPLY%/*}/files/etc/mplskit/routes.batch" \\
"""


def test_addresses_and_routes_come_once_are_changed_and_go_and_those_of_others_stay(tmp_path: Path) -> None:
    """Routes without labels, which every kernel has: what tells ours from others is the same for all of them."""
    stage(tmp_path / "stage", NodeSpec())
    script = f"""{PLAIN}<<'END'
address add 10.200.0.1/32 dev lo
route add 10.1.0.0/16 proto 77 via 10.9.0.2
route add 10.2.0.0/16 table 100 proto 77 nexthop via 10.9.0.2 weight 1 nexthop via 10.9.0.3 weight 2
route add 10.3.0.0/16 proto 77 via 10.9.0.2
route add 10.4.0.0/16 proto 77 via 10.9.0.2 dev later
route add 10.5.0.0/16 proto 77 nexthop via 10.9.0.2 dev eth0 weight 1 nexthop via 10.8.0.2 dev later weight 1
route add 10.6.0.9/32 proto 77 via 10.9.0.3
END
ip route add 10.3.0.0/16 via 10.9.0.9 proto static
apply() {{ sh "$APPLY" live | grep -v sysctl | cut -f 1-3 | tr '\\t' ' '; }}
echo first; apply
echo second; apply
sed -i '/10.1.0/s/9.0.2/9.0.3/; /10.6/d; /10.200/d; /10.3/d' "${{APPLY%/*}}/files/etc/mplskit/routes.batch"
echo third; apply
echo left; ip -N route show table all proto 77 | tr '\\t\\n' '  ' | xargs
ip route show 10.3.0.0/16; ip -o address show dev lo | grep -c 10.200
"""
    said = [str(line).strip() for line in contained(tmp_path / "stage", script)]
    first, second, third = (said.index(word) for word in ("first", "second", "third"))
    assert sorted(said[first + 1 : second]) == [
        "changed address 10.200.0.1/32",
        "changed route 10.1.0.0/16",
        "changed route 10.2.0.0/16 table 100",
        "changed route 10.6.0.9",
        "failed route 10.3.0.0/16",
        "waits route 10.4.0.0/16",
        "waits route 10.5.0.0/16",
    ]
    assert sorted(said[second + 1 : third]) == [
        "failed route 10.3.0.0/16",
        "same address 10.200.0.1/32",
        "same route 10.1.0.0/16",
        "same route 10.2.0.0/16 table 100",
        "same route 10.6.0.9",
        "waits route 10.4.0.0/16",
        "waits route 10.5.0.0/16",
    ]
    assert sorted(said[third + 1 : said.index("left")]) == [
        "changed address 10.200.0.1/32",
        "changed route 10.1.0.0/16",
        "changed route 10.6.0.9",
        "same route 10.2.0.0/16 table 100",
        "waits route 10.4.0.0/16",
        "waits route 10.5.0.0/16",
    ]
    assert said[said.index("left") + 1 :] == [
        "10.2.0.0/16 table 100 nexthop via 10.9.0.2 dev eth0 weight 1 nexthop via 10.9.0.3 dev eth0 weight 2 "
        "10.1.0.0/16 via 10.9.0.3 dev eth0",
        "10.3.0.0/16 via 10.9.0.9 dev eth0 proto static",
        "0",
    ]


def test_default_routes_of_both_families_are_told_apart(tmp_path: Path) -> None:
    stage(tmp_path / "stage", NodeSpec())
    script = f"""{PLAIN}<<'END'
route add 0.0.0.0/0 proto 77 via 10.9.0.2
route add ::/0 proto 77 via fd09::2
route add fd10::1 proto 77 nexthop via fd09::2 weight 1 nexthop via fd09::3 weight 1
END
    ip address add fd09::1/64 dev eth0 nodad
    for i in 1 2; do sh "$APPLY" live | grep -v sysctl | cut -f 1,3 | tr '\\t' ' ' | sort; done
    """
    assert contained(tmp_path / "stage", script) == [
        *("changed 0.0.0.0/0", "changed ::/0", "changed fd10::1"),
        *("same 0.0.0.0/0", "same ::/0", "same fd10::1"),
    ]


@pytest.mark.skipif(Path("/proc/sys/net/mpls").exists(), reason="MPLS is live on this machine")
def test_a_node_without_mpls_gets_its_files_and_is_told_what_failed(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", 'sh "$APPLY" node; echo "exit $?"')
    assert said.pop() == "exit 1"
    items = {(item.kind, item.name): item for item in said if isinstance(item, Item)}
    assert items["file", "/etc/sysctl.d/90-mplskit.conf"].state == "changed"
    assert items["module", "mpls_router"].state == "failed"
    assert items["sysctl", "net/mpls/platform_labels"] == Item(
        "failed",
        "sysctl",
        "net/mpls/platform_labels",
        "there is no /proc/sys/net/mpls: mpls_router is not loaded",
    )


def test_another_user_than_root_is_refused_in_one_line(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    ended = process.run(["unshare", "--user", "sh", tmp_path / "stage" / "apply.sh", "node"], check=False)
    assert ended.returncode == 1
    [item] = [parse_line(line) for line in ended.stdout.splitlines()]
    assert (item.state, item.kind, item.name) == ("failed", "node", "root")
    assert item.detail.startswith("must run as root, not as ")


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    ended = process.run(["sh", tmp_path / "stage" / "apply.sh", "nodes"], check=False)
    assert ended.returncode == 1
    assert ended.stdout == "failed\tnode\tmode\tnode, plan, remove, image or live, not 'nodes'\n"
