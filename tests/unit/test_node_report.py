"""The payload's lines, read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.node.payload_report import STATES, Item, Report, parse_line

FIELD = st.text(st.characters(exclude_characters="\t\r\n"), min_size=1)


def test_a_line_is_state_kind_name_and_detail() -> None:
    line = "changed\tsysctl\tnet/mpls/conf/eth0.100/input\t0 -> 1\n"
    assert parse_line(line) == Item("changed", "sysctl", "net/mpls/conf/eth0.100/input", "0 -> 1")


def test_a_detail_may_be_empty() -> None:
    assert parse_line("same\tmodule\tmpls_gso\t") == Item("same", "module", "mpls_gso", "")


@pytest.mark.parametrize("line", ["", "Welcome to node 7!", "done\tfile\t/etc/x\t", "same\tfile\t/etc/x", "same\t\t\t"])
def test_any_other_line_is_not_taken_for_one_of_the_payload(line: str) -> None:
    with pytest.raises(ValueError, match="not a line of the payload"):
        parse_line(line)


@given(st.sampled_from(STATES), FIELD, FIELD, FIELD)
def test_what_is_written_is_what_is_read(state: str, kind: str, name: str, detail: str) -> None:
    assert parse_line(f"{state}\t{kind}\t{name}\t{detail}\n") == Item(state, kind, name, detail)


@given(st.text())
def test_no_line_breaks_the_parser(line: str) -> None:
    try:
        item = parse_line(line)
    except ValueError:
        return
    assert item.state in STATES


def test_a_report_without_a_changed_item_is_no_change() -> None:
    report = Report.of(
        [Item("same", "file", "/etc/x", ""), Item("note", "sysctl", "net/mpls/platform_labels", "stays")]
    )
    assert not report.changed
    assert report.reboot_needed is None
    assert report.failed == ()


def test_a_report_tells_the_kernel_that_waits_for_a_reboot() -> None:
    report = Report.of([Item("note", "kernel", "6.12.1-mpls", "installed; 6.1.0 is running: reboot needed")])
    assert report.reboot_needed == "6.12.1-mpls: installed; 6.1.0 is running: reboot needed"


def test_an_item_that_waits_for_an_interface_says_which_was_probably_meant() -> None:
    said = "no such interface; the node has core0, eth0"
    assert parse_line(f"waits\tinterface\tcoer0\t{said}").detail == f"{said} — did you mean core0?"
    assert parse_line(f"waits\tinterface\tppp\t{said}").detail == said
    assert parse_line(f"waits\troute\tlabel 100\t{said}").detail == said
