"""The verdicts on nodes as JUnit XML, which CI systems show: a suite for each node, a case for each condition."""

from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement

from mplskit.fleet.outcome import Outcome
from mplskit.junitxml import LONGEST, in_suites
from mplskit.junitxml import text as _text
from mplskit.node.verify.verify import Check

# An error has a few lines of what came back.
WHOLE = 20 * LONGEST


def junit(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The document, in pieces. A node that was not looked at (not reached, not begun) has one case, `verify`, with the
    error.
    """
    root = Element("testsuites", name="node.verify")
    root.set("time", f"{sum(outcome.seconds for outcome in outcomes):.1f}")
    return in_suites(root, lambda: map(_suite, outcomes))


def _suite(outcome: Outcome) -> Element:
    suite = Element("testsuite", name=_text(outcome.node), time=f"{outcome.seconds:.1f}")
    whole = outcome.whole()
    if "checks" in whole:
        for check in whole["checks"]:
            _case(suite, outcome.node, Check(**check))
    else:
        case = SubElement(suite, "testcase", classname=_text(outcome.node), name="verify")
        error = SubElement(case, "error", message=_text(outcome.error))
        error.text = _text(str(outcome.failure or outcome.error), WHOLE)
    return suite


def _case(suite: Element, node: str, check: Check) -> None:
    case = SubElement(suite, "testcase", classname=_text(node), name=check.id)
    seen = _text(f"{check.title}: {check.seen}")
    if check.passed is None:
        SubElement(case, "skipped", message=seen)
    elif not check.passed:
        failure = SubElement(case, "failure", message=seen)
        failure.text = (
            f"not so: {_text(check.title)}\nseen:  {_text(check.seen)}\n"
            f"cause: {_text(check.cause)}\ncure:  {_text(check.cure)}"
        )
