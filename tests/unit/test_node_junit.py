from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import OutsideFailed
from mplskit.fleet.junit import junit
from mplskit.fleet.outcome import Done, Outcome, not_begun
from mplskit.node.verify.verify import Check

GOLDEN = Path(__file__).parent / "golden"

CHECKS = [
    Check("K3", "mpls_router is live", True, "mpls_router is loaded", "not loaded", "modprobe -a mpls_router"),
    Check("S1", "the label table is large enough", False, "0, wanted <100000>", "it is 0 by default", "sysctl -w"),
    Check("S11", "labels are accepted", None, "mpls_router is not live: see K3", "input is 0", "sysctl -w"),
]
DEAD = OutsideFailed("ssh to root@ler-2 failed", detail="Connection refused", hint="is sshd running on the node?")


def looked_at(name: str, checks: list[Check], seconds: float) -> Outcome:
    return Outcome.of(name, Done({"ready": False, "checks": [asdict(check) for check in checks]}), seconds)


def written(outcomes: list[Outcome]) -> str:
    return "".join(junit(outcomes))


def test_nodes_are_suites_and_conditions_are_cases() -> None:
    text = written([looked_at("ler-1", CHECKS, 4.04), Outcome.of("ler-2", DEAD, 10.0)])
    assert text == (GOLDEN / "node-junit.xml").read_text()


def test_a_node_that_was_not_begun_is_an_error_of_its_own() -> None:
    text = written([looked_at("ler-1", CHECKS[:1], 4.0), not_begun("ler-2", "the run was interrupted")])
    root = ElementTree.fromstring(text.split("\n", 1)[1])
    [error] = root.findall("testsuite[@name='ler-2']/testcase[@name='verify']/error")
    assert (error.get("message"), error.text) == ("the run was interrupted", "the run was interrupted")
    assert (root.get("tests"), root.get("errors"), root.get("failures")) == ("2", "1", "0")


def test_whatever_a_node_says_the_document_has_an_end() -> None:
    long = "x" * 1_000_000
    told = OutsideFailed("ssh failed", detail="\n".join([long] * 9))
    text = written([looked_at("ler-1", [Check("S1", "t", False, long, "a", "b")], 1), Outcome.of("ler-2", told, 1)])
    assert len(text) < 15_000


@given(st.text(max_size=40))
def test_whatever_a_node_says_the_document_can_be_read(text: str) -> None:
    check = Check("S1", "title", False, text, "cause", "cure")
    [failure] = ElementTree.fromstring(written([looked_at("node", [check], 1)]).split("\n", 1)[1]).iter("failure")
    assert failure.get("message", "").startswith("title: ")
