"""The verdicts on nodes as JUnit XML, which CI systems show: a suite for each node, a case for each condition."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from mplskit.junitxml import document
from mplskit.junitxml import text as _text
from mplskit.node.fleet.outcome import Outcome
from mplskit.node.verify.verify import Check


def junit(outcomes: Sequence[Outcome]) -> str:
    """The document. A node that was not looked at (not reached, not begun) has one case, `verify`, with the error."""
    root = Element("testsuites", name="node.verify")
    for outcome in outcomes:
        suite = SubElement(root, "testsuite", name=_text(outcome.node), time=f"{outcome.seconds:.1f}")
        if "checks" in outcome.document:
            for check in outcome.document["checks"]:
                _case(suite, outcome.node, Check(**check))
        else:
            case = SubElement(suite, "testcase", classname=_text(outcome.node), name="verify")
            error = SubElement(case, "error", message=_text(outcome.error))
            error.text = _text(str(outcome.failure or outcome.error))
    root.set("time", f"{sum(outcome.seconds for outcome in outcomes):.1f}")
    return document(root)


def _case(suite: Element, node: str, check: Check) -> None:
    case = SubElement(suite, "testcase", classname=_text(node), name=check.id)
    seen = _text(f"{check.title}: {check.seen}")
    if check.passed is None:
        SubElement(case, "skipped", message=seen)
    elif not check.passed:
        failure = SubElement(case, "failure", message=seen)
        failure.text = _text(f"not so: {check.title}\nseen:  {check.seen}\ncause: {check.cause}\ncure:  {check.cure}")
