"""What people see of reports, word by word."""

import io

import pytest

from mplskit.errors import Exit
from mplskit.fleet import show
from mplskit.fleet.completion import bootstrapped, planned, removed
from mplskit.fleet.outcome import Outcome, State
from mplskit.fleet.summary import is_summed
from mplskit.fleet.watch import Lines, Table, line
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.node import Node
from mplskit.node.payload_report import Item, Report
from mplskit.remote.host import Host
from tests.golden import assert_golden

NODE = Node("ler-1", Host("ler-1"), NodeSpec())
SYSCTLS = "/etc/sysctl.d/90-mplskit.conf"
PLAN = Report.of(
    [
        Item("changed", "package", "iproute2", "6.1.0-3+mpls1 would be installed"),
        Item("diff", "file", SYSCTLS, "@@ -1,2 +1,2 @@"),
        Item("diff", "file", SYSCTLS, "-net/mpls/platform_labels = 1000"),
        Item("diff", "file", SYSCTLS, "+net/mpls/platform_labels = 100000"),
        Item("diff", "file", SYSCTLS, " net/mpls/conf/eth0/input = 1"),
        Item("changed", "file", SYSCTLS, "would be written"),
        Item("diff", "file", "/etc/mplskit/node.json", "--- /etc/mplskit/node.json"),
        Item("diff", "file", "/etc/mplskit/node.json", "+++ /etc/mplskit/node.json"),
        Item("diff", "file", "/etc/mplskit/node.json", "@@ -0,0 +1 @@"),
        Item("diff", "file", "/etc/mplskit/node.json", "+{}"),
        Item("changed", "file", "/etc/mplskit/node.json", "would be written"),
        Item("diff", "file", "/usr/local/lib/mplskit/live.sh", "(+2 -1 lines)"),
        Item("changed", "file", "/usr/local/lib/mplskit/live.sh", "changed"),
        Item("changed", "module", "mpls_iptunnel", "loaded"),
        Item("changed", "sysctl", "net/mpls/platform_labels", "1000 -> 100000"),
        Item("changed", "route", "100", "as to 200 via inet 10.0.0.2"),
        Item("changed", "service", "mplskit-routes.service", "would be restarted"),
        Item("same", "sysctl", "net/mpls/conf/eth0/input", "1"),
        Item("note", "interface", "tap0", "no such interface now: it may come later"),
    ]
)


def test_a_plan_has_the_differences_of_files_and_then_what_else_would_be_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.plan(PLAN)
    assert_golden("node-plan", capsys.readouterr().out, {})


def routes(count: int, how: str, first: int = 16) -> list[Item]:
    return [
        Item("changed", "route", f"label {label}", f"{how}: {label} via inet 10.0.0.2 dev eth0 proto 77")
        for label in range(first, first + count)
    ]


LABELS = "/etc/mplskit/labels.batch"
THOUSANDS = Report.of(
    [
        Item("diff", "file", LABELS, f"--- {LABELS}"),
        Item("diff", "file", LABELS, f"+++ {LABELS}"),
        Item("diff", "file", LABELS, "@@ -0,0 +1,100004 @@"),
        Item("diff", "file", LABELS, "+route add 16 via inet 10.0.0.2 dev eth0 proto 77"),
        Item("diff", "file", LABELS, "(+100004 -1 lines)"),
        Item("changed", "file", LABELS, "written"),
        *routes(100_000, "added"),
        *[Item("changed", "route", f"10.0.{n}.0/24", "added: 10.0.0.0/24 encap mpls 16 …") for n in range(20)],
        *routes(101, "made anew", first=200_000),
        *routes(1, "taken away", first=300_000),
        *[Item("failed", "route", f"label {n}", "there is one already that is not ours") for n in range(102)],
    ]
)


def test_routes_by_the_thousand_are_counted_and_what_is_no_addition_is_told_up_to_a_bound(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show.plan(THOUSANDS)
    plan = capsys.readouterr().out
    show.items(THOUSANDS)
    table = capsys.readouterr().out
    for text in (plan, table):
        lines = text.splitlines()
        assert sum("labels" in line and "100,000" in line for line in lines) == 1
        assert sum("10.0." in line and "/24" in line and "added" in line for line in lines) == 20
        assert sum("made anew" in line and "label " in line for line in lines) == 100
        assert sum("taken away" in line for line in lines) == 1
        assert sum("not ours" in line and "label " in line for line in lines) == 100
        assert [" ".join(line.replace(":", "").split()) for line in lines if "more" in line] in (
            ["route and 1 more made anew", "✗ route and 2 more there is one already that is not ours"],
            ["changed route and 1 more made anew", "failed route and 2 more there is one already that is not ours"],
        )
    assert plan.splitlines()[:7] == [
        f"--- {LABELS}",
        f"+++ {LABELS}",
        "@@ -0,0 +1,100004 @@",
        "+route add 16 via inet 10.0.0.2 dev eth0 proto 77",
        "… +100,004 −1 lines in all",
        "would be routed:",
        "  route 100,000 labels: added",
    ]


def test_what_is_not_told_item_by_item_is_said_so() -> None:
    assert is_summed(THOUSANDS.document)
    assert not is_summed(PLAN.document)
    assert not is_summed(Report.of([Item("same", "route", f"label {n}", "") for n in range(16, 1000)]).document)
    assert not is_summed({"checks": []})


@pytest.mark.parametrize(
    ("detail", "count", "told"),
    [
        ("added: 16 via …", 20, False),
        ("added: 16 via …", 21, True),
        ("made anew", 100, False),
        ("made anew", 101, True),
    ],
)
def test_one_item_that_is_counted_is_as_good_as_a_thousand(detail: str, count: int, told: bool) -> None:
    report = Report.of([Item("changed", "route", f"label {n}", detail) for n in range(16, 16 + count)])
    assert is_summed(report.document) is told


def test_a_note_comes_with_each_of_the_first_items_and_then_with_thousands(capsys: pytest.CaptureFixture[str]) -> None:
    tell = show.teller()
    for item in THOUSANDS.items:
        tell(item)
    notes = capsys.readouterr().err.splitlines()
    assert notes[1] == "  ✓ route label 16: added: 16 via inet 10.0.0.2 dev eth0 proto 77"
    assert notes[21] == "  ✓ 10,000 of kind route so far: label 10015 is the last"
    assert len(notes) == 1 + 20 + 10 + 20


def test_a_plan_is_coloured_on_a_terminal_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for colour, no_color in ((True, ""), (False, "1")):
        screen = Terminal()
        monkeypatch.setattr("sys.stdout", screen)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("NO_COLOR", no_color)
        show.plan(PLAN)
        assert ("\x1b[32m+net/mpls/platform_labels = 100000\x1b[0m" in screen.getvalue()) is colour
        assert "+net/mpls/platform_labels = 100000" in screen.getvalue()


def test_a_long_line_of_a_plan_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    show.plan(Report.of([Item("diff", "file", "/etc/x", "+" + "word " * 100)]))
    assert capsys.readouterr().out.splitlines()[2] == "+" + "word " * 100


def test_a_plan_without_changes_says_so_and_leaves_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    done = planned(NODE, Report.of([Item("same", "file", "/etc/x", ""), Item("note", "node", "system", "old")]))
    done.show(done.document)
    assert capsys.readouterr().out == "! node system: old\nnothing to do\n"
    assert (done.exit, done.changes, done.failure) == (Exit.OK, 0, None)


def test_a_plan_with_changes_leaves_with_1_and_is_no_failure() -> None:
    done = planned(NODE, PLAN)
    assert (done.exit, done.changes, done.failure, done.complete) == (Exit.NOT_SO, 8, None, True)


FAILED = Report.of(
    [
        Item("failed", "interface", "eth0", "carries the default route"),
        Item("failed", "file", "/etc/x", "No space left on device"),
    ]
)


def test_what_failed_on_a_node_is_named_with_what_came_back() -> None:
    for judged, case in ((bootstrapped, "bootstrapped"), (planned, "planned"), (removed, "removed")):
        done = judged(NODE, FAILED)
        assert not done.complete
        assert_golden(f"node-not-{case}", f"{done.failure}\n", {})


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("system", "mplskit sets up Debian and what is made of it"),
        ("lock", "wait until that one is through, and run it again"),
        ("space", "free some space on the node and run it again: what is done stays"),
    ],
)
def test_what_the_node_itself_lacks_has_a_way_on_of_its_own(name: str, hint: str) -> None:
    failure = bootstrapped(NODE, Report.of([Item("failed", "node", name, "no")])).failure
    assert failure is not None
    assert failure.hint == hint


def test_a_node_that_needs_a_reboot_is_done_and_not_so_yet() -> None:
    report = Report.of([Item("note", "kernel", "6.12.1-mpls", "installed; 6.1.0 is running: reboot needed")])
    done = bootstrapped(NODE, report)
    assert (done.complete, done.exit) == (True, Exit.NOT_SO)
    assert str(done.failure) == (
        "error: ler-1 needs a reboot: kernel 6.12.1-mpls: installed; 6.1.0 is running: reboot needed\n"
        "hint: reboot it, then node.verify"
    )


DEAD = "the node does not answer: is it up, is the address right, does a firewall drop the packets?"
MANY = [
    Outcome("ler-1", State.CHANGED, 7, 2.31),
    Outcome("ler-2", State.OK, 0, 0.84),
    Outcome("ler-3", State.CHANGED, 9, 12.0, 1, "ler-3 needs a reboot: kernel 6.12", "reboot it, then node.verify"),
    Outcome("lsr-1", State.UNREACHABLE, 0, 10.02, 4, "ssh to lsr-1 failed", DEAD),
    Outcome("lsr-2", State.UNREACHABLE, 0, 10.04, 4, "ssh to admin@10.0.0.7:2222 failed", DEAD),
    Outcome("lsr-3", State.FAILED, 3, 4.5, 1, "lsr-3 is not set up: file /etc/mplskit/node.json", "free some space"),
    Outcome("lsr-4", State.NOT_BEGUN, error="3 failed, and --max-failures is 2"),
]


def test_the_report_of_many_nodes_is_a_table_with_each_hint_once(capsys: pytest.CaptureFixture[str]) -> None:
    show.fleet(MANY)
    assert_golden("node-fleet", capsys.readouterr().out, {})


def test_a_hint_for_many_nodes_names_the_first_five() -> None:
    same = [Outcome(f"n{number}", State.FAILED, code=1, error="no", hint="look") for number in range(1, 9)]
    assert show.hints(same) == {"look": "n1, n2, n3, n4, n5 and 3 more"}


def test_each_node_that_ends_is_a_line() -> None:
    assert_golden("node-fleet-lines", "".join(line(outcome) + "\n" for outcome in MANY), {})


def test_the_table_has_the_nodes_under_way_and_how_many_are_through(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    screen = io.StringIO()
    console = Console(file=screen, width=100, height=6, force_terminal=False)
    table = Table(40, "node.bootstrap on 40 nodes", console)
    for number in range(1, 9):
        table.begun(f"n{number}")
        table.said(f"n{number}", f"  ✓ file /etc/{number}: written")
    table.ended(Outcome("n1", State.FAILED, seconds=1.0, code=1, error="no"))
    table.said("n1", "what comes late is not shown")
    console.print(table.rendered())
    *rows, head = screen.getvalue().splitlines()
    assert [row.split()[:3] for row in rows] == [[f"n{number}", "under", "way"] for number in (2, 3, 4)]
    assert rows[0].rstrip().endswith("✓ file /etc/2: written")
    assert head.startswith("node.bootstrap on 40 nodes: 1 of 40 through, 1 failed, 0.")
    assert capsys.readouterr().err == "✗ n1: failed (1.0 s): no [1/40]\n"


def test_without_a_terminal_only_ends_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(2)
    lines.begun("n1")
    lines.said("n1", "  ✓ file /etc/x: written")
    lines.ended(Outcome("n1", State.CHANGED, 1, 0.5))
    assert capsys.readouterr().err == "✓ n1: changed, 1 change (0.5 s) [1/2]\n"


WAITS = Report.of(
    [
        Item("changed", "sysctl", "net/mpls/conf/eth0/input", "0 -> 1"),
        Item("waits", "interface", "coer0", "no such interface; the node has core0, eth0 — did you mean core0?"),
        Item("waits", "route", "label 100", "its interface is down: 100 dev eth1"),
    ]
)


def test_a_node_that_waits_for_an_interface_is_done_and_not_ready() -> None:
    for judged, case in ((bootstrapped, "bootstrapped"), (planned, "planned")):
        done = judged(NODE, WAITS)
        assert (done.complete, done.exit, done.changes) == (True, Exit.NOT_SO, 1)
        assert_golden(f"node-{case}-waits", f"{done.failure}\n", {})


def test_a_plan_says_what_would_be_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    planned(NODE, WAITS).show(WAITS.document)
    assert "… interface coer0: no such interface; the node has core0, eth0" in capsys.readouterr().out
