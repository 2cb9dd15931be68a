"""The verdicts on nodes as JUnit XML, which CI systems show: a suite for each node, a case for each condition."""

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mplskit.node.fleet.outcome import Outcome
from mplskit.node.verify.verify import Check

# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
        _count(suite)
    _count(root)
    root.set("time", f"{sum(outcome.seconds for outcome in outcomes):.1f}")
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _case(suite: Element, node: str, check: Check) -> None:
    case = SubElement(suite, "testcase", classname=_text(node), name=check.id)
    seen = _text(f"{check.title}: {check.seen}")
    if check.passed is None:
        SubElement(case, "skipped", message=seen)
    elif not check.passed:
        failure = SubElement(case, "failure", message=seen)
        failure.text = _text(f"not so: {check.title}\nseen:  {check.seen}\ncause: {check.cause}\ncure:  {check.cure}")


def _count(element: Element) -> None:
    counted = (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    for name, tag in counted:
        element.set(name, str(len(list(element.iter(tag)))))


def _text(text: str) -> str:
    return _UNWRITABLE.sub("�", text)
