"""N3: the sysctl file of a node may have a larger label table than its spec, and nothing else that is not rendered."""

from hashlib import sha256

import pytest

from mplskit.node.payload.render import SYSCTL_FILE, render
from tests.worlds.made_up_facts import judged, node

SPEC = {"mpls_input": ["eth0"], "platform_labels": 1000}
LARGER = "with a label table of 5000: it was larger than the spec's, and never shrinks by itself"


@pytest.mark.parametrize(
    ("old", "new", "verdict", "seen"),
    [
        ("", "", True, f"{SYSCTL_FILE} is as rendered"),
        ("= 1000\n", "= 5000\n", True, f"{SYSCTL_FILE} is as rendered {LARGER}"),
        ("= 1000\n", "= 999\n", False, f"{SYSCTL_FILE} is not as rendered"),
        ("= 1000\n", "= 5000 # mine\n", False, f"{SYSCTL_FILE} is not as rendered"),
        ("= 1000\n", "= 5000\nnet/mpls/conf/eth1/input = 1\n", False, f"{SYSCTL_FILE} is not as rendered"),
    ],
)
def test_a_larger_table_is_as_rendered_and_a_smaller_one_is_not(old: str, new: str, verdict: bool, seen: str) -> None:
    facts = node(SPEC)
    assert facts.spec
    text = render(facts.spec)[SYSCTL_FILE].replace(old, new) if old else render(facts.spec)[SYSCTL_FILE]
    known = {"sha256sum": f"{sha256(text.encode()).hexdigest()}  {SYSCTL_FILE}\n", "cat": text}
    facts.__dict__["run"] = lambda command, *words: (0, known[command.split()[0]], "")
    assert judged("N3", facts) == (verdict, seen)
