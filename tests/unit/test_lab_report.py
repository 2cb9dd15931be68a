"""Reports in their other forms: JUnit, the matrix; faults on purpose; links that are slow; a lab that is up."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mplskit import process
from mplskit.errors import WrongInput
from mplskit.files import locked
from mplskit.lab.evidence import Check, Counter
from mplskit.lab.faults import KINDS, parse_fault
from mplskit.lab.grammar.labs import load
from mplskit.lab.grammar.links import Link
from mplskit.lab.html.page import write_page
from mplskit.lab.junit import junit
from mplskit.lab.lab_report import Cause, LabReport, StepReport
from mplskit.lab.matrix import Matrix, column
from mplskit.lab.stage.stage import impairments
from mplskit.lab.up import LOCK, STATE, Up, all_up, entrance, folder
from mplskit.paths import Workspace

CAUSE = Cause("ler-2", "L2", "lo is up", "lo is down", "packets come in on lo", "ip link set lo up")


def report(kernel: str, *steps: StepReport) -> LabReport:
    wrong = any(step.wrong for step in steps)
    topology = load("hello-world")
    return LabReport("hello-world", "it", "namespaces", kernel, "ip", not wrong, steps, 2.0, Path("/x"), topology)


FAILED = report(
    "6.1",
    StepReport("one", "passed"),
    StepReport("two", "failed", (Check("ping", "0 % loss", "100 % loss", False),), causes=(CAUSE,)),
    StepReport("three", "left out", reason="it is built in"),
)
PASSED = report("6.12", StepReport("one", "passed"), StepReport("three", "left out", reason="it is built in"))


def test_junit_has_a_case_for_each_step_with_what_was_expected_and_why() -> None:
    root = ElementTree.fromstring(junit([FAILED]))
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "ping: expected 0 % loss; seen: 100 % loss"
    assert failure.text is not None
    assert failure.text.splitlines()[1:] == [
        "ler-2: L2: not so: lo is up",
        "seen:  lo is down",
        "cause: packets come in on lo",
        "cure:  ip link set lo up",
    ]


def test_whatever_a_node_says_junit_has_an_end() -> None:
    long = "x" * 100_000
    checks = tuple(Check(f"counter {number}", "1", long, False) for number in range(1000))
    causes = tuple(Cause("ler-2", "L2", "lo is up", long, "cause", "cure") for _ in range(1000))
    document = junit([report("6.1", StepReport("two", "failed", checks, causes=causes))])
    assert len(document) < 40_000
    failure = ElementTree.fromstring(document).find(".//failure")
    assert failure is not None
    assert failure.get("message", "").endswith("; and 980 more")
    lines = (failure.text or "").splitlines()
    assert lines[0] == f"counter 0: expected 1; seen: {'x' * (500 - len('counter 0: expected 1; seen: '))}…"
    assert lines[-2:] == ["cure:  cure", "and 980 more"]


def test_a_step_that_fails_while_every_condition_holds_names_the_counters_that_rose_and_what_each_means() -> None:
    lost = Check("ping", "0 % loss", "100 % loss", False)
    rose = (
        Counter("ler-1", "eth0", "tx.packets", 3, 7),
        Counter("ler-2", "eth0", "rx.noroute", 1, 5),
        Counter("ler-2", "lo", "rx.dropped", 0, 2),
    )
    signs = (
        "ler-2: rx.noroute of eth0 rose by 4: labelled packets came in whose label has no route",
        "ler-2: rx.dropped of lo rose by 2: packets were popped to lo and had a label left, and lo accepts none: "
        "net.mpls.conf.lo.input is 0",
    )
    step = StepReport("two", "failed", (lost,), counters=rose)
    assert step.signs == signs
    failed = report("6.1", step)
    document: Any = failed.as_json()
    assert document["steps"][0]["signs"] == signs
    assert [row[3] for row in failed.rows()[2:]] == list(signs)
    text = ElementTree.fromstring(junit([failed])).findtext(".//failure")
    assert text is not None
    assert text.splitlines()[1:] == list(signs)
    page = write_page(failed)
    assert "rx.noroute of eth0 rose by 4" in page
    explained = StepReport("two", "failed", (lost,), counters=rose, causes=(CAUSE,))
    assert (explained.signs, StepReport("two", "passed", counters=rose).signs) == ((), ())


def test_the_matrix_says_what_failed_what_was_left_out_and_what_was_not_run_on_each_kernel() -> None:
    labs = ["hello-world"]
    columns = [
        column("a.deb", labs, [FAILED]),
        column("debian:trixie", labs, [PASSED]),
        column("b.deb", labs, [], "no"),
    ]
    kernels = (("6.1", "a.deb"), ("6.12", "debian:trixie"), ("no kernel", "b.deb"))
    matrix = Matrix(kernels, tuple(cell for cells in columns for cell in cells))
    assert matrix.markdown() == (
        "| lab | 6.1 (a.deb) | 6.12 (debian:trixie) | no kernel (b.deb) |\n"
        "|---|---|---|---|\n"
        "| hello-world | failed: two | passed: left out: three | not run: no |\n"
    )
    assert not matrix.passed
    assert Matrix(kernels[1:2], tuple(columns[1])).passed


def test_two_kernels_of_the_same_release_are_told_apart() -> None:
    cells = [*column("a.deb", ["hello-world"], [FAILED]), *column("b.deb", ["hello-world"], [PASSED])]
    [row] = Matrix((("6.12", "a.deb"), ("6.12", "b.deb")), tuple(cells)).rows()
    assert row == ("hello-world", "failed: two", "passed: left out: three")


# `ip` in a shell of its own: what iproute2 prints for a few routes of the lab ecmp; what it is told to do is printed.
LEFT, CROSS = "nexthop as to 201 via inet 10.23.3.1 dev eth1", "nexthop as to 111 via inet 10.23.5.2 dev cross"
ROUTES = ("101 as to 201 via inet 10.23.3.1 dev eth1", "102 dev lo", f"110 \\\t{LEFT} \\\t{CROSS}")
IP = f"""
ip() {{
    case $* in
        '-o -f mpls route show proto 77') printf '%s\\n' {process.quote(ROUTES)} ;;
        *) echo "$*" ;;
    esac
}}
"""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("no-pop", ["-f mpls route del 102"]),
        ("no-route", [f"-f mpls route del {label}" for label in (110, 102, 101)]),
        (
            "wrong-label",
            [
                "-f mpls route del 110",
                "-f mpls route add 111 nexthop as 201 via inet 10.23.3.1 dev eth1 "
                "nexthop as 111 via inet 10.23.5.2 dev cross",
                "-f mpls route del 102",
                "-f mpls route add 103 dev lo",
                "-f mpls route del 101",
                "-f mpls route add 102 as 201 via inet 10.23.3.1 dev eth1",
            ],
        ),
    ],
)
def test_a_fault_finds_label_routes_with_several_next_hops_and_makes_room_first(fault: str, told: list[str]) -> None:
    ran = process.run(["sh", "-c", IP + KINDS[fault].command])
    assert ran.stdout.splitlines() == told


def test_a_fault_is_of_a_node_and_some_are_of_an_interface() -> None:
    lsr = load("lsr")
    assert parse_fault("lsr:input-off:eth1", lsr).dev == "eth1"
    assert parse_fault("ler-2:lo-down", lsr).kind is KINDS["lo-down"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lrs:lo-down", "--fault lrs:lo-down: there is no node 'lrs'; allowed: ler-1, lsr, ler-2; did you mean lsr?"),
        (
            "lsr:lo-dwn",
            "--fault lsr:lo-dwn: there is no fault 'lo-dwn'; allowed: no-pop, no-route, no-push, wrong-label, "
            "small-table, lo-down, no-loopback, rp-filter, input-off, link-down, link-mtu; did you mean lo-down?",
        ),
        (
            "lsr:input-off",
            "--fault lsr:input-off: input-off is that of an interface: there is no interface ''; allowed: eth0, eth1",
        ),
        ("lsr:lo-down:eth0", "--fault lsr:lo-down:eth0: lo-down has no interface\nhint: allowed: lsr:lo-down"),
    ],
)
def test_a_fault_that_cannot_be_is_told_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(WrongInput) as caught:
        parse_fault(text, load("lsr"))
    assert str(caught.value) == f"error: {said}"


def test_links_are_slow_lossy_and_without_offload_by_tc_and_ethtool() -> None:
    ends = [{"node": name, "dev": "eth0", "address": f"10.0.0.{n}/24"} for n, name in enumerate("ab", 1)]
    link = Link.model_validate({"ends": ends, "delay": 2.5, "loss": 10, "offload": False})
    assert impairments(link) == [
        ["tc", "qdisc", "replace", "dev", "DEV", "root", "netem", "delay", "2.5ms", "loss", "10%"],
        ["ethtool", "-K", "DEV", "tso", "off"],
    ]
    assert impairments(Link.model_validate({"ends": ends})) == []


UP = Up(
    "lsr", "namespaces", 1, {"lsr": ["ssh", "-T", "--", "vm", "ip netns exec x"], "ler-1": ["ip", "netns", "exec", "y"]}
)


def test_a_node_is_entered_by_ssh_with_a_terminal_only_where_there_is_one() -> None:
    assert entrance(UP, "lsr", "ip a; id") == ["ssh", "-T", "--", "vm", "ip netns exec x sh -c 'ip a; id'"]
    assert entrance(UP, "lsr", terminal=True) == [
        *("ssh", "-T", "-t", "--", "vm"),
        "ip netns exec x env 'PS1=lsr# ' bash --norc -i",
    ]
    assert entrance(UP, "ler-1", "id") == ["ip", "netns", "exec", "y", "sh", "-c", "id"]


@pytest.mark.parametrize("text", ["", '{"lab": "torn", "sta', "[]"], ids=["empty", "cut", "another"])
def test_a_lab_whose_record_is_damaged_hides_no_other_that_is_up(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace(tmp_path / "build", tmp_path / "dist", tmp_path / "cache")
    torn, whole = folder(workspace, "torn"), folder(workspace, "whole")
    with locked(torn / LOCK), locked(whole / LOCK):
        (torn / STATE).write_text(text)
        (whole / STATE).write_text(json.dumps(asdict(UP)))
        assert all_up(workspace) == [UP]
    assert capsys.readouterr().err == f"! {torn / STATE} is damaged: it counts as not there\n"
