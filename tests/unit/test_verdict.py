import pytest

from mplskit.config.fragment import Setting
from mplskit.config.verdict import State, verdicts_on

CELLS = [
    ("y", "y", "granted"),
    ("y", "m", "demoted"),
    ("y", "n", "unmet"),
    ("m", "y", "granted"),
    ("m", "m", "granted"),
    ("m", "n", "unmet"),
    ("n", "y", "forced"),
    ("n", "m", "forced"),
    ("n", "n", "granted"),
    ("n", "64", "forced"),
    ("n", '""', "forced"),
    ("64", "64", "granted"),
    ("64", "8", "unmet"),
    ("64", "n", "unmet"),
    ('"a"', '"a"', "granted"),
    ('"a"', '"b"', "unmet"),
    ('""', '""', "granted"),
    ("0x10", "0x10", "granted"),
    ("0x10", "0", "unmet"),
    ("064", "64", "granted"),
    ("-064", "-64", "granted"),
    ("064", "8", "unmet"),
    ("0x0A", "0xa", "granted"),
    ("10", "0x10", "granted"),
    ("16", "0x10", "unmet"),
    ("0x10", "16", "unmet"),
    ('"064"', '"64"', "unmet"),
    ('"64"', "64", "unmet"),
    ("y", "0x10", "unmet"),
]


@pytest.mark.parametrize(("asked", "got", "state"), CELLS)
def test_each_pair_of_asked_and_got_has_its_verdict(asked: str, got: str, state: str) -> None:
    [verdict] = verdicts_on([Setting("X", asked, "")], {} if got == "n" else {"X": got})
    assert (verdict.got, verdict.state, verdict.granted) == (got, State(state), state == "granted")


def test_verdicts_come_in_the_order_of_the_settings() -> None:
    settings = [Setting("B", "y", ""), Setting("A", "m", "")]
    assert [verdict.setting.symbol for verdict in verdicts_on(settings, {"A": "m"})] == ["B", "A"]
