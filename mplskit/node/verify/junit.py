"""The verdicts on nodes as JUnit XML, which CI systems show: a suite for each node, a case for each condition."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mplskit.errors import Failure
from mplskit.node.verify.verify import Check

# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Verified:
    """What came of one node: its checks, or why there are none."""

    came: Sequence[Check] | Failure
    seconds: float


def junit(nodes: Mapping[str, Verified]) -> str:
    """The document, its suites in the order of `nodes`. A node that could not be looked at has one case, `verify`."""
    root = Element("testsuites", name="node.verify")
    for name, verified in nodes.items():
        suite = SubElement(root, "testsuite", name=_text(name), time=f"{verified.seconds:.1f}")
        if isinstance(verified.came, Failure):
            case = SubElement(suite, "testcase", classname=_text(name), name="verify")
            error = SubElement(case, "error", message=_text(verified.came.message))
            error.text = _text(str(verified.came))
        else:
            for check in verified.came:
                _case(suite, name, check)
        _count(suite)
    _count(root)
    root.set("time", f"{sum(verified.seconds for verified in nodes.values()):.1f}")
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
