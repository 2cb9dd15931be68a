"""The checklist and the checks agree."""

import re

from mplskit.node.verify.checklist import load_checklist
from mplskit.paths import data


def test_every_condition_has_exactly_one_check_and_every_check_a_condition() -> None:
    checks = "".join(path.read_text() for path in sorted((data("bootstrap") / "checks").glob("test_*.py")))
    marked = re.findall(r'@pytest\.mark\.condition\("(\w+)"\)\ndef test_', checks)
    assert sorted(marked) == sorted(load_checklist())
    assert len(marked) == len(re.findall(r"^def test_", checks, re.MULTILINE))


def test_every_condition_says_symptom_cause_and_cure_in_one_line() -> None:
    for condition in load_checklist().values():
        for text in (condition.title, condition.symptom, condition.cause, condition.cure):
            assert text
            assert "\n" not in text
