import pytest

from mplskit.errors import BuildFailed, Exit, Failure, MachineLacks, NotSo, OutsideFailed, WrongInput


@pytest.mark.parametrize(
    ("kind", "code"),
    [(NotSo, 1), (WrongInput, 2), (MachineLacks, 3), (OutsideFailed, 4), (BuildFailed, 5), (Failure, 1)],
)
def test_each_kind_of_failure_has_the_exit_code_that_is_promised(kind: type[Failure], code: int) -> None:
    assert kind("no").code == Exit(code) == code


def test_a_failure_says_what_failed_what_came_back_and_what_to_do() -> None:
    failure = NotSo("the ping failed", detail="100 % loss\n\nnoroute 5", hint="pop the label")
    assert str(failure) == "error: the ping failed\n  | 100 % loss\n  | \n  | noroute 5\nhint: pop the label"


def test_a_failure_without_detail_and_hint_is_one_line() -> None:
    assert str(WrongInput("no such suite")) == "error: no such suite"
