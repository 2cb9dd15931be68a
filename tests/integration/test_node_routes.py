"""Routes for real, in a namespace: those without labels, which every kernel has; labels are one more word of theirs."""

from pathlib import Path

import pytest

from mplskit import process
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import parse_line
from tests.worlds.contained_node import CONTAINED, GROUND
from tests.worlds.contained_routes import KEEPER, LINKS, said


def test_no_ip_gets_more_than_2000_lines(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    script = """
    routes 1 4500 >"$BATCH"
    instead <<'END'
#!/bin/sh
for last in "$@"; do :; done
[ ! -f "$last" ] || wc -l <"$last" >>/run/lines
exec /run/real-ip "$@"
END
    apply | cut -d ' ' -f 1,2 | uniq -c | xargs; xargs </run/lines; $IP route show proto 77 | wc -l
    """
    assert said(tmp_path, LINKS + script) == ["4500 changed route", "2000 2000 500", "4500"]


CUT = """
sed -i 's/^most_lines=.*/most_lines=100/' "$HERE/routes.sh"
routes 1 350 >"$BATCH"
instead <<'END'
#!/bin/sh
case "$*" in *batch.4.3) kill -9 $(cat /run/pid) $PPID; exit ;; esac
exec /run/real-ip "$@"
END
sh -c 'echo $$ >/run/pid; exec sh "$0" live' "$APPLY" >/dev/null 2>&1
umount "$(readlink -f /sbin/ip)"
"""


def test_a_run_that_was_cut_goes_on_where_it_was(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    script = """
    $IP -o monitor route >/run/touched & sleep 0.5
    apply | cut -d ' ' -f 1 | sort | uniq -c | xargs; apply | cut -d ' ' -f 1 | sort | uniq -c | xargs
    sleep 0.5; kill $!; grep -c '^10.1.0' /run/touched; grep -c '^10.1.1' /run/touched
    """
    assert said(tmp_path, LINKS + CUT + script) == ["150 changed 200 same", "350 same", "0", "150"]


def test_ten_changed_routes_among_many_are_all_that_is_touched(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    script = """
    routes 1 3000 >"$BATCH"; apply >/dev/null
    sed -i '/10.1.7.1[0-9] /s/10.9.0.2/10.9.0.3/' "$BATCH"
    $IP -o monitor route >/run/touched & sleep 0.5; apply | cut -d ' ' -f 1 | sort | uniq -c | xargs; sleep 0.5; kill $!
    grep -c '^10.1.7.1' /run/touched; grep -c '^10.1' /run/touched
    """
    assert said(tmp_path, LINKS + script) == ["10 changed 2990 same", "10", "10"]


def test_what_was_not_touched_is_known_by_what_the_kernel_showed_before(tmp_path: Path) -> None:
    """Ten changed, then ten taken out and ten put back: each time it is those, and the next time all are the same."""
    stage(tmp_path, NodeSpec())
    script = """
    count() { apply | cut -d ' ' -f 1 | sort | uniq -c | xargs; }
    routes 1 300 >"$BATCH"; cp "$BATCH" /run/all; count
    sed -i '/10.1.1.1[0-9] /s/10.9.0.2/10.9.0.3/' "$BATCH"; count; count
    sed -i '/10.1.1.1[0-9] /d' "$BATCH"; count; count
    cp /run/all "$BATCH"; count; count; cut -f 3 "$HERE/run/routes" | sort -u | wc -l; wc -l <"$HERE/run/routes"
    """
    assert said(tmp_path, LINKS + script) == [
        "300 changed",
        *("10 changed 290 same", "300 same"),
        *("10 changed 290 same", "290 same"),
        *("10 changed 290 same", "300 same", "300", "300"),
    ]


def test_a_route_that_was_added_by_hand_beside_one_of_ours_costs_that_nothing(tmp_path: Path) -> None:
    """Both have the same prefix and metric, so no command would be sure to meet the other one."""
    stage(tmp_path, NodeSpec())
    script = """
    routes 1 3 >"$BATCH"; apply
    $IP route append 10.1.0.2 via 10.9.0.7 proto 77; $IP route add 10.1.0.9 via 10.9.0.7 proto 77
    $IP -o monitor route >/run/touched & sleep 0.5; apply; sleep 0.5; kill $!; grep -c '^Deleted 10.1.0.9 ' /run/touched
    grep -c '10.1.0' /run/touched; $IP route show 10.1.0.2 | cut -d ' ' -f 3 | xargs
    """
    assert said(tmp_path, LINKS + script) == [
        *(f"changed route 10.1.0.{number}" for number in (1, 2, 3)),
        *(f"same route 10.1.0.{number}" for number in (1, 2, 3)),
        *("changed route 10.1.0.9", "1", "1", "10.9.0.2 10.9.0.7"),
    ]


def test_a_default_route_by_a_next_hop_of_the_other_family_is_known_by_its_own(tmp_path: Path) -> None:
    """The kernel says `default` of both; a ::/0 of ours is another route."""
    stage(tmp_path, NodeSpec())
    script = """
    echo 'route add 0.0.0.0/0 proto 77 via inet6 fe80::2 dev eth0' >"$BATCH"
    ip -6 route add ::/0 via fe80::3 dev eth0 proto 77
    ip -6 route add ::/0 via fe80::3 dev eth0 proto 77 metric 7
    apply | sort; echo; apply; ip -6 route show default proto 77 | wc -l
    """
    assert said(tmp_path, LINKS + script) == [
        *("changed route 0.0.0.0/0", "changed route ::/0", "changed route ::/0 metric 7"),
        *("", "same route 0.0.0.0/0", "0"),
    ]


def test_what_the_release_before_knew_of_a_route_is_known_still(tmp_path: Path) -> None:
    """It had prefix and table for a key."""
    stage(tmp_path, NodeSpec())
    script = """
    echo 'route add 10.1.0.0/16 proto 77 via 10.9.0.2' >"$BATCH"; apply
    sed -i 's/ 254 0\\t/ 254\\t/' "$HERE/run/routes"; grep -c ' 254.route\\| 254.10' "$HERE/run/routes"; apply
    """
    assert said(tmp_path, LINKS + script) == ["changed route 10.1.0.0/16", "1", "same route 10.1.0.0/16"]


# The first look at the kernel's routes does not show 10.1.0.0/16, as when other changes interrupt it.
HIDDEN = """
echo 'route add 10.1.0.0/16 proto 77 via 10.9.0.2' >"$BATCH"
told() { sh "$APPLY" "$1" | grep route.10.1.0.0 | cut -f 1,4 | tr '\t' ' '; }
live() { told live; }
plan() { mkdir -p /run/mplskit; cp "$HERE/run/routes" /run/mplskit; told plan; }
instead <<'END'
#!/bin/sh
case "$*" in
*"show table all proto"*) [ ! -e /run/hide ] || { rm /run/hide; /run/real-ip "$@" | grep -v 10.1.0.0; exit 0; } ;;
esac
exec /run/real-ip "$@"
END
"""


def test_a_route_of_ours_that_a_look_did_not_show_is_what_it_was(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    script = "live; : >/run/hide; live; plan; live"
    route = "10.1.0.0/16 proto 77 via 10.9.0.2"
    assert said(tmp_path, LINKS + HIDDEN + script) == [f"changed added: {route}", *[f"same {route}"] * 3]


def test_a_changed_route_that_a_look_did_not_show_is_not_taken_for_anothers(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    script = 'live >/dev/null; sed -i s/10.9.0.2/10.9.0.3/ "$BATCH"; : >/run/hide; live; plan; live'
    route = "10.1.0.0/16 proto 77 via 10.9.0.3"
    assert said(tmp_path, LINKS + HIDDEN + script) == [
        f"failed it is there and ours, which did not show before: run it again: {route}",
        *[f"changed made anew: {route}"] * 2,
    ]


NO_NETWORK = "10.8.0.2 is in no network of eth0, which is up and has 10.9.0.1/24"
ONLINK = "; if it is on that link all the same, onlink: true with the route says so, else correct via or dev"
NO_MACHINE = "can be no other machine on eth0; correct via or dev: 10.1.0.0/16"


@pytest.mark.parametrize(
    ("before", "way", "told"),
    [
        (":", "via 10.8.0.2 dev eth0", f"failed Nexthop has invalid gateway: {NO_NETWORK}{ONLINK}"),
        (":", "via 10.8.0.2 dev eth0 onlink", "changed added"),
        ("ip link set eth0 down", "via 10.8.0.2 dev eth0", "waits waits for its interface or next hop"),
        ("ip link set far down", "via 10.8.0.2 dev eth0", "waits waits for its interface or next hop"),
        ("ip address flush eth0", "via 10.8.0.2 dev eth0", "waits waits for its interface or next hop"),
        (
            "ip address flush eth0; ip address add 169.254.7.7/16 dev eth0",
            "via 10.8.0.2 dev eth0",
            "waits waits for its interface or next hop",
        ),
        (":", "via 10.8.0.2", "waits waits for its interface or next hop"),
        (":", "via 10.8.0.2 dev tap0", "waits waits for its interface or next hop"),
        (
            ":",
            "nexthop via 10.8.0.2 dev eth0 nexthop via 10.9.0.2 dev tap0",
            "waits waits for its interface or next hop",
        ),
        (
            ":",
            "nexthop via 10.9.0.2 dev eth0 nexthop via 10.8.0.2 dev eth0",
            f"failed Nexthop has invalid gateway: {NO_NETWORK}{ONLINK}: 10.1.0.0/16",
        ),
        (
            ":",
            "nexthop via 10.7.0.2 dev far nexthop via 10.8.0.2 dev eth0",
            f"failed Nexthop has invalid gateway: {NO_NETWORK}{ONLINK}: 10.1.0.0/16",
        ),
        (
            "ip -6 address add 2001:db8:9::1/64 dev eth0 nodad",
            "nexthop via inet6 2001:db8:9::2 dev eth0 nexthop via inet6 2001:db8:8::2 dev eth0",
            "failed No route to host: 2001:db8:8::2 is in no network of eth0, which is up and has 2001:db8:9::1/64"
            f"{ONLINK}: 10.1.0.0/16",
        ),
        (
            ":",
            "nexthop via 10.8.0.2 dev eth0 onlink nexthop via 10.9.0.255 dev eth0 onlink",
            f"failed Nexthop has invalid gateway: 10.9.0.255 {NO_MACHINE}",
        ),
        (
            ":",
            "via 10.9.0.1 dev eth0 onlink",
            f"failed Nexthop has invalid gateway: 10.9.0.1 {NO_MACHINE}",
        ),
    ],
    ids=[
        "in no network",
        "onlink",
        "down",
        "no carrier",
        "no address",
        "link-local only",
        "any",
        "no tap",
        "no interface for one of two",
        "one of two",
        "one of two, the other is not known",
        "one of two of IPv6",
        "a broadcast address",
        "its own address",
    ],
)
def test_what_time_mends_is_waited_for_and_what_it_cannot_has_failed(
    before: str, way: str, told: str, tmp_path: Path
) -> None:
    stage(tmp_path, NodeSpec())
    script = f"""
    {before}; echo 'route add 10.1.0.0/16 proto 77 {way}' >"$BATCH"
    sh "$APPLY" live | grep 10.1.0.0
    """
    item = parse_line(said(tmp_path, LINKS + script)[0])
    assert f"{item.state} {item.detail}".startswith(told)


def test_the_keeper_adds_and_takes_nothing_away(tmp_path: Path) -> None:
    """Neither a route with our number, added by hand, nor one of somebody else's that has the prefix of ours, nor an
    address that was ours."""
    stage(tmp_path, NodeSpec())
    script = """
    mkdir /run/mplskit; echo 10.200.0.9/32 >/run/mplskit/addresses; $IP address add 10.200.0.9/32 dev lo
    keeper; $IP route add 10.7.0.0/16 via 10.9.0.9 proto 77
    $IP route replace 10.1.0.0/16 via 10.9.0.9 proto static
    $IP route del 10.2.0.0/16 proto 77; awaited '[ "$(ours)" = "10.2.0.0/16 10.7.0.0/16" ]'
    ours; $IP route show 10.1.0.0/16 | xargs; awaited 'grep -q "not ours" /run/told'
    $IP -o address show dev lo | grep -c 10.200.0.9; kill %1
    """
    assert said(tmp_path, KEEPER + script) == [
        "10.2.0.0/16 10.7.0.0/16",
        "10.1.0.0/16 via 10.9.0.9 dev eth0 proto static",
        "1",
    ]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        ("mv $f /run/kept", "is not there: its routes stay as they are"),
        ("cp -p $f /run/kept; : >$f", "is not what node.bootstrap wrote"),
        ("cp -p $f /run/kept; sed -i s/10.1/10.3/ $f", "is not what node.bootstrap wrote"),
    ],
    ids=["lost", "empty", "edited"],
)
def test_a_file_of_routes_that_is_lost_or_edited_is_told_once_and_changes_nothing(
    spoil: str, told: str, tmp_path: Path
) -> None:
    stage(tmp_path, NodeSpec())
    script = f"""
    keeper; f=/etc/mplskit/routes.batch; {spoil}
    $IP link add one type veth peer name other
    awaited 'grep -q "^failed" /run/told'
    $IP link set one up; $IP link set other up; sleep 1; $IP link set one down; sleep 1
    grep -c '^failed.file./etc/mplskit/routes.batch.{told}' /run/told; grep -c . /run/told; ours
    $IP -o address show dev lo | grep -c 10.200.0.1
    mv /run/kept $f; $IP route del 10.2.0.0/16 proto 77
    awaited '[ "$(ours)" = "10.1.0.0/16 10.2.0.0/16" ]'; ours; kill %1
    """
    lines = said(tmp_path, KEEPER + script)
    assert lines[0] == "1"
    assert lines[2:] == ["10.1.0.0/16 10.2.0.0/16", "1", "10.1.0.0/16 10.2.0.0/16"]


def test_the_keeper_ends_with_its_monitor_and_says_so(tmp_path: Path) -> None:
    """systemd starts it again; a sleep of a minute that is left behind keeps nobody waiting."""
    stage(tmp_path, NodeSpec())
    script = """
    below() { for child in $(cat "/proc/$1/task/$1/children"); do echo "$child"; below "$child"; done; }
    keeper; sleep 2; for p in $(below $!); do ! grep -q monitor "/proc/$p/cmdline" || kill "$p"; done
    timeout 30 tail --pid=$! -f /dev/null; echo "waited $?"; wait $!; echo "exit $?"; tail -n 1 /run/told
    """
    assert said(tmp_path, KEEPER + script) == [
        *("waited 0", "exit 1"),
        "failed\tnode\tkeeper\tip monitor ended: systemd starts it again",
    ]


@pytest.mark.parametrize(("starts", "pause"), [(0, 0), (1, 1), (4, 8), (40, 256)])
def test_a_keeper_that_ends_again_and_again_waits_longer_each_time(starts: int, pause: int, tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    script = f"""
    mkdir -p /run/mplskit /usr/local/sbin; [ {starts} = 0 ] || echo {starts} >/run/mplskit/starts
    cat >/usr/local/sbin/sleep <<'END'
#!/bin/sh
echo "$1" >>/run/slept
[ "$1" = 1 ] || [ "$1" != {pause} ] || exit 0
exec /bin/sleep "$1"
END
    chmod +x /usr/local/sbin/sleep
    keeper; cat /run/mplskit/starts; sed -n 's/.*goes on in //p' /run/told; kill %1; grep -v '^0' /run/slept | head -n 1
    SERVICE_RESULT=oom-kill sh $keep stopped; cat /run/mplskit/starts
    SERVICE_RESULT=success sh $keep stopped; ls /run/mplskit | grep -c starts
    """
    waits = [f"{pause} s"] if pause else []
    # Without a pause the first sleep is that before the second look.
    assert said(tmp_path, KEEPER + script) == [str(starts + 1), *waits, str(pause or 1), str(starts + 1), "0"]


@pytest.mark.parametrize("burst", [r"look\n", r"[LINK]9: one\nlook\n[LINK]9: one\n"], ids=["alone", "within a burst"])
def test_a_minute_without_an_end_is_peace_whatever_else_happens_then(burst: str, tmp_path: Path) -> None:
    """The keeper's look of its own accord, which comes each minute; here it comes as a word of the monitor."""
    stage(tmp_path, NodeSpec())
    script = f"""
    mkdir -p /run/mplskit; echo 1 >/run/mplskit/starts
    instead <<'END'
#!/bin/sh
case "$*" in *monitor*) sleep 1.5; printf '{burst}'; exec sleep 600 ;; esac
exec /run/real-ip "$@"
END
    keeper; awaited '[ "$(cat /run/mplskit/starts)" = 0 ]'; cat /run/mplskit/starts
    below() {{ for child in $(cat "/proc/$1/task/$1/children"); do echo "$child"; below "$child"; done; }}
    kill $(below $!) $!
    """
    assert said(tmp_path, KEEPER + script) == ["0"]


def test_what_could_not_be_put_stays_recorded_as_it_is(tmp_path: Path) -> None:
    """The keeper goes by the record: one of a file that is not there would make it tell that somebody edited it."""
    stage(tmp_path, NodeSpec())
    script = """
    f=/etc/mplskit/routes.batch; check() { sha256sum --check /var/lib/mplskit/routes.sha256; }; check
    echo 'route add 10.3.0.0/16 proto 77 via 10.9.0.2' >>"$BATCH"; mount --bind $f $f
    sh "$APPLY" image | grep -c "^failed.file.$f"; check
    umount $f; sh "$APPLY" image >/dev/null; check; grep -c 10.3.0.0 $f
    """
    whole = "/etc/mplskit/routes.batch: OK"
    assert said(tmp_path, KEEPER + script) == [whole, "1", whole, whole, "1"]


def test_what_the_keeper_cannot_write_is_told(tmp_path: Path) -> None:
    stage(tmp_path, NodeSpec())
    full = "mkdir -p /run/mplskit; mount -t tmpfs -o ro none /run/mplskit"
    ended = process.run(
        [*CONTAINED, GROUND + KEEPER + f"{full}; sh $keep 2>/dev/null; echo $?", "sh", tmp_path / "apply.sh"],
        check=False,
    )
    first, code = ended.stdout.splitlines()[-2:]
    assert first.startswith("failed\tnode\tkeeper\t")
    assert code == "1"
