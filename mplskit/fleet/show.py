"""What people see of reports: of one node, item by item, of a plan with the differences of files, of many nodes."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from mplskit import progress, terminal
from mplskit.fleet.outcome import Outcome, State
from mplskit.fleet.summary import FEW, summed
from mplskit.node.payload_report import Item, Report
from mplskit.wording import first_few

SIGNS = {"changed": "✓", "failed": "✗", "waits": "…", "note": "!"}

# What a plan says of each kind; the kinds that are not here are `changed`.
WORDS = {
    "package": "installed",
    "file": "written",
    "module": "loaded",
    "sysctl": "set",
    "interface": "set",
    "address": "routed",
    "route": "routed",
    "service": "restarted",
}
ORDER = ("written", "installed", "loaded", "set", "routed", "restarted", "changed")
# How the node sums up a difference that is too long, or of our own programs; no line of a difference begins so.
LINES = re.compile(r"\(\+(\d+) -(\d+) lines\)")
# From FEW items of a kind on, one note for so many.
STRIDE = 10_000
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def teller() -> Callable[[Item], None]:
    """Called with the items of a node as they come: a note for each of the first, then one for thousands."""
    met: Counter[tuple[str, str]] = Counter()

    def tell(item: Item) -> None:
        if item.state not in SIGNS:
            return
        met[item.state, item.kind] += 1
        count = met[item.state, item.kind]
        if count <= FEW:
            progress.note(f"  {SIGNS[item.state]} {item.kind} {item.name}: {item.detail}")
        elif count % STRIDE == 0:
            progress.note(f"  {SIGNS[item.state]} {count:,} of kind {item.kind} so far: {item.name} is the last")

    return tell


def items(report: Report) -> None:
    """A table of all that is not as it was."""
    told = summed([item for item in report.items if item.state != "same"])
    rows = [(item.state, item.kind, item.name, item.detail) for item in told]
    if rows:
        terminal.table(("state", "kind", "name", "detail"), rows)
    if not report.changed:
        print("no change", flush=True)


def plan(report: Report) -> None:
    """A difference for each file, then what else would be done."""
    terminal.coloured(plan_lines(report))


def plan_lines(report: Report) -> Iterator[tuple[str, str]]:
    """Each line of a plan with its style."""
    differences = [item for item in report.items if item.state == "diff"]
    lines = {item.name: _lines(item) for item in differences if LINES.fullmatch(item.detail)}
    shown = {item.name for item in differences if not LINES.fullmatch(item.detail)}
    yield from _differences([item for item in differences if item.name in shown])
    changed = summed([item for item in report.items if item.state == "changed" and item.name not in shown])
    for word in ORDER:
        rows = [item for item in changed if WORDS.get(item.kind, "changed") == word]
        if rows:
            yield "bold", f"would be {word}:"
            yield from (("", f"  {item.kind} {item.name}{_more(item, word, lines)}") for item in rows)
    for item in summed([item for item in report.items if item.state in ("note", "waits", "failed")]):
        yield (
            "red" if item.state == "failed" else "yellow",
            f"{SIGNS[item.state]} {item.kind} {item.name}: {item.detail}",
        )
    if not report.changed and not report.failed:
        yield "", "nothing to do"


def _differences(items: Sequence[Item]) -> Iterator[tuple[str, str]]:
    """The differences of files as `diff -u` writes them; of one that is too long, how many lines there are."""
    name = ""
    for item in items:
        if item.name != name:
            name = item.name
            if not item.detail.startswith("--- "):
                yield "bold", f"--- {name}"
                yield "bold", f"+++ {name}"
        if LINES.fullmatch(item.detail):
            yield "bold", f"… {_lines(item)} in all"
        else:
            header = item.detail.startswith(("--- ", "+++ "))
            yield "bold" if header else COLOURS.get(item.detail[:1], ""), item.detail


def _lines(item: Item) -> str:
    """`+12,345 −3 lines`."""
    found = LINES.fullmatch(item.detail)
    return f"+{int(found[1]):,} −{int(found[2]):,} lines" if found else ""


def _more(item: Item, word: str, lines: Mapping[str, str]) -> str:
    """What a heading does not say already."""
    if item.kind == "file" and item.name in lines:
        return f": {lines[item.name]}"
    more = item.detail.removesuffix(word).removesuffix("would be ").strip()
    return f": {more}" if more else ""


def fleet(outcomes: Sequence[Outcome]) -> None:
    """A table with a row for each node, and below it what can be done about the first error of each kind."""
    terminal.table(("node", "state", "changes", "seconds", "error"), fleet_rows(outcomes))
    for error_hint, names in hints(outcomes).items():
        print(f"{names}: {error_hint}", flush=True)


def fleet_rows(outcomes: Sequence[Outcome]) -> list[tuple[str, ...]]:
    """The table's rows: a node that was not begun has neither changes nor seconds."""
    return [
        (
            outcome.node,
            outcome.state.value,
            str(outcome.changes) if outcome.state.done else "",
            "" if outcome.state is State.NOT_BEGUN else f"{outcome.seconds:.1f}",
            outcome.error,
        )
        for outcome in outcomes
    ]


def hints(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Each hint once, and the nodes that it is for: the first five by name."""
    nodes: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.hint:
            nodes.setdefault(outcome.hint, []).append(outcome.node)
    return {hint: first_few(names, 5) for hint, names in nodes.items()}
