from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import OutsideFailed
from mplskit.node.verify.junit import Verified, junit
from mplskit.node.verify.verify import Check

GOLDEN = Path(__file__).parent / "golden"

CHECKS = [
    Check("K3", "mpls_router is live", True, "mpls_router is loaded", "not loaded", "modprobe -a mpls_router"),
    Check("S1", "the label table is large enough", False, "0, wanted <100000>", "it is 0 by default", "sysctl -w"),
    Check("S11", "labels are accepted", None, "mpls_router is not live: see K3", "input is 0", "sysctl -w"),
]
DEAD = OutsideFailed("ssh to root@ler-2 failed", detail="Connection refused", hint="is sshd running on the node?")


def test_nodes_are_suites_and_conditions_are_cases() -> None:
    text = junit({"ler-1": Verified(CHECKS, 4.04), "ler-2": Verified(DEAD, 10.0)})
    assert text == (GOLDEN / "node-junit.xml").read_text()


@given(st.text(max_size=40))
def test_whatever_a_node_says_the_document_can_be_read(text: str) -> None:
    check = Check("S1", "title", False, text, "cause", "cure")
    [failure] = ElementTree.fromstring(junit({"node": Verified([check], 1)}).split("\n", 1)[1]).iter("failure")
    assert failure.get("message", "").startswith("title: ")
