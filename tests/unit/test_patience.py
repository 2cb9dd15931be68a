import math

import pytest

from mplskit.patience import GaveUp, Passing, attempts, patiently
from mplskit.process_group import Group, grouped


def test_what_passes_is_tried_again_and_what_does_not_is_raised_at_once() -> None:
    came: list[Exception | str] = [Passing("busy"), "answer"]

    def attempt() -> str:
        one = came.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    assert patiently("list", 3, 0, attempt) == "answer"
    came[:] = [ValueError("wrong"), "answer"]
    with pytest.raises(ValueError, match="wrong"):
        patiently("list", 3, 0, attempt)


def test_after_so_many_tries_it_gives_up_with_the_words_of_each() -> None:
    said = iter(["busy", "still busy"])

    def attempt() -> str:
        raise Passing(next(said))

    with pytest.raises(GaveUp) as gave_up:
        patiently("list", 2, 0, attempt)
    assert gave_up.value.why == ["busy", "still busy"]


def test_a_server_that_wants_to_be_left_alone_for_long_is_not_asked_again() -> None:
    def attempt() -> str:
        raise Passing("busy", after=3600)

    with pytest.raises(GaveUp) as gave_up:
        patiently("list", 5, 0, attempt)
    assert gave_up.value.why == ["busy, to be asked again in 3600 s"]


def test_there_is_one_attempt_even_when_there_is_no_time() -> None:
    assert len(list(attempts(0, 1))) == 1


def test_attempts_end_with_the_run() -> None:
    group = Group()
    group.end()
    with grouped(group):
        assert len(list(attempts(math.inf, 1000))) == 1
