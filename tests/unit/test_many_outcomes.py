"""How many nodes came out, in one exit code and in words."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from mplskit.errors import OutsideFailed
from mplskit.fleet.outcome import Outcome, State, exit_code, failure_of_all


@pytest.mark.parametrize(
    ("codes", "code"), [((), 0), ((0, 0), 0), ((0, 4), 4), ((4, 1, 0), 1), ((4, 3), 3), ((1, 3), 1)]
)
def test_the_exit_code_of_many_is_the_lowest_but_0(codes: Sequence[int], code: int) -> None:
    assert exit_code([Outcome("n", State.FAILED, code=one) for one in codes]) == code


def test_many_fail_in_the_words_that_say_how_many_and_how() -> None:
    many = [
        Outcome("n1", State.OK),
        Outcome("n2", State.FAILED, code=4, error="cut"),
        Outcome("n3", State.UNREACHABLE, code=4, error="ssh to n3 failed"),
        Outcome("n4", State.NOT_BEGUN, error="2 failed, and --max-failures is 1"),
    ]
    failure = failure_of_all(many, Path("build/nodes/nodes-1/bootstrap.json"))
    assert isinstance(failure, OutsideFailed)
    assert str(failure) == (
        "error: 3 of 4 nodes did not get done: 1 failed, 1 not begun, 1 unreachable\n"
        "hint: the same command with --failed takes up these alone; the report is in "
        "build/nodes/nodes-1/bootstrap.json"
    )


def test_nodes_that_wait_for_a_reboot_are_done_and_not_so_yet() -> None:
    waiting = Outcome("n1", State.CHANGED, 3, code=1, error="n1 needs a reboot: kernel 6.12", hint="reboot it")
    failure = failure_of_all([waiting, Outcome("n2", State.OK)], Path("report"))
    assert str(failure) == (
        "error: 1 of 2 nodes: n1 needs a reboot: kernel 6.12\n"
        "hint: reboot it; the same command with --failed takes up these alone"
    )
    assert State.CHANGED.done
