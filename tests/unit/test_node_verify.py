"""The checklist and the checks agree, and a host is told to testinfra in its own words."""

import re

import pytest

from mplskit.node.checklist import load_checklist
from mplskit.node.verify import hostspec
from mplskit.paths import data
from mplskit.remote.host import Host


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


@pytest.mark.parametrize(
    ("host", "spec"),
    [
        ("node-1", "ssh://node-1"),
        ("root@node-1:2222", "ssh://root@node-1:2222"),
        ("::1", "ssh://[::1]"),
        ("root@[::1]:22", "ssh://root@[::1]:22"),
        ("fe80::1%eth0", "ssh://[fe80::1%25eth0]"),
        ("me@corp@node-1", "ssh://me%40corp@node-1"),
    ],
)
def test_a_host_is_told_to_testinfra(host: str, spec: str) -> None:
    assert hostspec(Host.parse(host)) == spec
