"""The script that writes the table of docs/options.md: what it makes of verdicts, and where it puts it."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from mplskit.config.fragment import Setting
from mplskit.config.verdict import State, Verdict

SCRIPT = Path(__file__).parents[2] / "docs" / "make_options_table.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_options_table", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_what_was_lost_is_counted_numbered_and_told_once_below_the_table(script: ModuleType) -> None:
    cell, why = script.Cell, "`TCP_AO=y`, got n: unmet: depends on 64BIT [=n]"
    rows = [
        ("6.1", "guest", [cell(0, 0, ()), cell(39, 1, ())]),
        ("6.12", "tiny", [cell(5, 0, ()), cell(40, 0, (why,))]),
        ("7.2", "tiny", [cell(5, 0, ("other",)), cell(40, 0, ("other", why))]),
    ]
    assert script.table(["mpls", "router"], rows).splitlines() == [
        "| kernel | base | mpls | router |",
        "|---|---|---|---|",
        "| 6.1 | `guest` |  | all 39 (+1) |",
        "| 6.12 | `tiny` | all 5 | 39 of 40 <sup>1</sup> |",
        "| 7.2 | `tiny` | 4 of 5 <sup>2</sup> | 38 of 40 <sup>2</sup> <sup>1</sup> |",
        "",
        "1. `TCP_AO=y`, got n: unmet: depends on 64BIT [=n]",
        "2. other",
    ]


def test_only_what_is_between_the_markers_is_replaced(script: ModuleType) -> None:
    page = f"# Head\n\n{script.BEGIN}\nold\n{script.END}\n\nTail\n"
    assert script.replaced(page, "| new |") == f"# Head\n\n{script.BEGIN}\n| new |\n{script.END}\n\nTail\n"


def test_the_page_in_docs_has_the_markers_and_a_row_for_each_release_and_base(script: ModuleType) -> None:
    page = SCRIPT.with_name("options.md").read_text()
    made = page.partition(script.BEGIN)[2].partition(script.END)[0]
    rows = [[word.strip() for word in line.split("|")[1:3]] for line in made.splitlines() if line.startswith("| ")]
    found = [(kernel.rpartition(".")[0], base.strip("`")) for kernel, base in rows[1:]]
    assert [(kernel, base) for kernel in ("5.10", "6.1", "6.12") for base in script.BASES] == found[:9]
    assert [base for _, base in found[9:]] == list(script.BASES)


def test_a_loss_is_told_with_what_came_back_and_why(script: ModuleType) -> None:
    verdicts = [
        Verdict(Setting("A", "y", ""), "y", State.GRANTED),
        Verdict(Setting("B", "y", ""), "m", State.DEMOTED, "depends on C [=m]"),
        Verdict(Setting("D", "m", ""), "n", State.UNMET),
    ]
    assert script.lost_of(verdicts) == (
        "`B=y`, got m: demoted: depends on C [=m]",
        "`D=m`, got n: unmet",
    )
