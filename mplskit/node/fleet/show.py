"""What people see of reports: of one node, item by item, of a plan with the differences of files, of many nodes."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from mplskit import cli, progress
from mplskit.node.fleet.outcome import Outcome, State
from mplskit.node.report import Item, Report

SIGNS = {"changed": "✓", "failed": "✗", "note": "!"}

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
# The programs that stay on a node are ours, the same everywhere: how many lines differ is enough.
PROGRAMS = "/usr/local/lib/mplskit/"
DIFFERS = re.compile(r"[+-](?!--|\+\+)")
COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def tell(item: Item) -> None:
    """A note for an item, as it comes."""
    if item.state in SIGNS:
        progress.note(f"  {SIGNS[item.state]} {item.kind} {item.name}: {item.detail}")


def items(report: Report) -> None:
    """A table of all that is not as it was."""
    rows = [(item.state, item.kind, item.name, item.detail) for item in report.items if item.state != "same"]
    if rows:
        cli.table(("state", "kind", "name", "detail"), rows)
    if not report.changed:
        print("no change", flush=True)


def plan(report: Report) -> None:
    """A difference for each file, then what else would be done; coloured on a terminal, unless NO_COLOR is set."""
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, markup=False)
    for style, text in plan_lines(report):
        console.print(Text(text, style=style), soft_wrap=True)


def plan_lines(report: Report) -> Iterator[tuple[str, str]]:
    """Each line of a plan with its style."""
    name = ""
    differences = [item for item in report.items if item.state == "diff"]
    shown = [item for item in differences if not item.name.startswith(PROGRAMS)]
    for item in shown:
        if item.name != name:
            name = item.name
            if not item.detail.startswith("--- "):
                yield "bold", f"--- {name}"
                yield "bold", f"+++ {name}"
        header = item.detail.startswith(("--- ", "+++ "))
        yield "bold" if header else COLOURS.get(item.detail[:1], ""), item.detail
    different = {item.name for item in shown}
    changed = [item for item in report.items if item.state == "changed" and item.name not in different]
    lines = Counter(item.name for item in differences if DIFFERS.match(item.detail))
    for word in ORDER:
        rows = [item for item in changed if WORDS.get(item.kind, "changed") == word]
        if rows:
            yield "bold", f"would be {word}:"
            yield from (("", f"  {item.kind} {item.name}{_more(item, word, lines)}") for item in rows)
    for item in report.items:
        if item.state in ("note", "failed"):
            yield (
                "yellow" if item.state == "note" else "red",
                f"{SIGNS[item.state]} {item.kind} {item.name}: {item.detail}",
            )
    if not report.changed and not report.failed:
        yield "", "nothing to do"


def _more(item: Item, word: str, lines: Counter[str]) -> str:
    """What a heading does not say already."""
    if item.kind == "file" and item.name in lines:
        return f": {lines[item.name]} lines differ"
    more = item.detail.removesuffix(word).removesuffix("would be ").strip()
    return f": {more}" if more else ""


def fleet(outcomes: Sequence[Outcome]) -> None:
    """A table with a row for each node, and below it what can be done about the first error of each kind."""
    cli.table(("node", "state", "changes", "seconds", "error"), fleet_rows(outcomes))
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
    return {
        hint: ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        for hint, names in nodes.items()
    }
