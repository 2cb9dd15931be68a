"""What a report comes to: done, done with a reboot to follow, or not done, and what to do about it."""

from collections.abc import Sequence

from mplskit.errors import Exit, NotSo
from mplskit.fleet import show
from mplskit.fleet.outcome import Document, Done
from mplskit.node.node import Node
from mplskit.node.payload_report import Item, Report
from mplskit.wording import clipped, several

# A route with 255 next hops is a line of 10,000 characters.
LONGEST_DETAIL = 500


def bootstrapped(node: Node, report: Report, mind: str = "") -> Done:
    """A node whose items all hold is done; it is not so yet when it needs a reboot. `mind` is added to that hint."""
    failure = _failure(node, report, "is not set up")
    if failure is None and report.reboot_needed:
        failure = NotSo(
            f"{node.name} needs a reboot: kernel {report.reboot_needed}",
            hint="reboot it, then node.verify" + (f"; mind that {mind}" if mind else ""),
        )
    failure = failure or _waiting(node, report, "is not ready")
    return Done(report.document, _show_items, changes(report), failure, not report.failed)


def planned(node: Node, report: Report) -> Done:
    """A plan with changes is no error, and leaves with 1 all the same."""
    failure = _failure(node, report, "would not be set up") or _waiting(node, report, "would not be ready")
    code = Exit.NOT_SO if report.changed else Exit.OK
    return Done(report.document, _show_plan, changes(report), failure, not report.failed, code)


def removed(node: Node, report: Report) -> Done:
    """A removal whose items all hold is done."""
    failure = _failure(node, report, "still has something of ours")
    return Done(report.document, _show_items, changes(report), failure, not report.failed)


def _show_items(document: Document) -> None:
    show.items(Report.read(document))


def _show_plan(document: Document) -> None:
    show.plan(Report.read(document))


def changes(report: Report) -> int:
    """How many items were changed."""
    return sum(item.state == "changed" for item in report.items)


def _failure(node: Node, report: Report, what: str) -> NotSo | None:
    if not report.failed:
        return None
    first, names = report.failed[0], several([f"{item.kind} {item.name}" for item in report.failed])
    return NotSo(
        f"{node.name} {what}: {names}",
        detail=_details(report.failed),
        hint=_way_on(first),
    )


def _waiting(node: Node, report: Report, what: str) -> NotSo | None:
    """All was done, and something is not there that the node needs."""
    if not report.waits:
        return None
    names = [item.name if item.kind == "interface" else f"{item.kind} {item.name}" for item in report.waits]
    name = next((item.name for item in report.waits if item.kind == "interface"), "NAME")
    return NotSo(
        f"{node.name} {what}: waits for {several(names)}",
        detail=_details(report.waits),
        hint=f"correct the name, or bring the interface; one that may come later is called so in the inventory: "
        f"interfaces: {{{name}: {{optional: true}}}}",
    )


def _details(items: Sequence[Item]) -> str:
    """What the first of them say; the report has all."""
    return "\n".join(clipped(item.detail, LONGEST_DETAIL) for item in items[:5] if item.detail)


def _way_on(item: Item) -> str:
    """What to do about an item that failed."""
    ways = {
        ("node", "system"): "mplskit sets up Debian and what is made of it",
        ("node", "dpkg"): "mplskit sets up Debian and what is made of it",
        ("node", "lock"): "wait until that one is through, and run it again",
        ("node", "space"): "free some space on the node and run it again: what is done stays",
    }
    if item.kind == "module":
        return "node.verify names the cause and its cure"
    return ways.get((item.kind, item.name), "correct that on the node and run it again: what is done stays")
