"""The report of a lab as JUnit XML: a suite for the lab, a case for each step."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from mplskit.junitxml import document, text
from mplskit.lab.lab_report import Cause, LabReport, StepReport
from mplskit.wording import several


def junit(reports: Sequence[LabReport]) -> str:
    """The document."""
    root = Element("testsuites", name="lab.run", time=f"{sum(report.seconds for report in reports):.1f}")
    for report in reports:
        suite = SubElement(root, "testsuite", name=text(report.lab), time=f"{report.seconds:.1f}")
        for step in report.steps:
            _case(suite, report.lab, step)
    return document(root)


def _case(suite: Element, lab: str, step: StepReport) -> None:
    case = SubElement(suite, "testcase", classname=text(lab), name=text(step.step), time=f"{step.seconds:.1f}")
    if step.verdict in ("skipped", "left out"):
        SubElement(case, "skipped", message=text(step.reason or "an earlier step was stopped"))
    elif step.wrong:
        wrong = [
            text(f"{check.about}: expected {check.expected}; seen: {check.seen}")
            for check in step.checks
            if not check.passed
        ]
        failure = SubElement(case, "failure", message=several(wrong, between="; ") if wrong else "")
        parts = (wrong, [_told(cause) for cause in step.causes], [text(sign) for sign in step.signs])
        failure.text = "\n".join(several(part, between="\n") for part in parts if part)


def _told(cause: Cause) -> str:
    head = text(f"{cause.node}: {cause.id}: not so: {cause.title}")
    return f"{head}\nseen:  {text(cause.seen)}\ncause: {text(cause.cause)}\ncure:  {text(cause.cure)}"
