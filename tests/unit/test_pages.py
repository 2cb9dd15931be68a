"""What can be asked for by name is told in the page of its kind, and a flag is used where it is taken."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

import pytest

from mplskit.config.options import option_sets
from mplskit.flag_groups import spelled
from mplskit.lab.faults import KINDS
from mplskit.lab.grammar.labs import lab_names
from mplskit.lab.probes import PROBES
from mplskit.node.verify.checklist import load_checklist

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text() for path in (ROOT / "docs").glob("*.md")}
MODULES = [path for path in (ROOT / "mplskit").rglob("*.py") if path.name != "flags.py"]


def first_cells(page: str) -> str:
    """The first cells of all tables of a page."""
    return "\n".join(re.findall(r"^\| (.*?) \|", PAGES[page], re.MULTILINE))


def flags() -> Iterator[str]:
    """The fields of all groups of flags."""
    for path in sorted((ROOT / "mplskit").rglob("flags.py")):
        module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
        groups = [value for value in vars(module).values() if isinstance(value, type) and is_dataclass(value)]
        yield from (field.name for group in groups for field in fields(group))


FLAGS = sorted(set(flags()))


def test_each_condition_is_in_the_table_of_the_page_on_nodes() -> None:
    assert set(load_checklist()) - set(first_cells("node").split()) == set()


def test_each_option_set_has_its_row() -> None:
    assert [named.name for named in option_sets() if f"`{named.name}`" not in first_cells("options")] == []


def test_each_lab_and_each_key_of_a_probe_has_its_row() -> None:
    keys = {key for probe in PROBES for key in (*probe.asked.model_fields, *probe.expected.model_fields)}
    assert [name for name in sorted({*lab_names(), *keys}) if f"`{name}`" not in first_cells("lab")] == []


def test_each_fault_is_named_in_the_page_on_labs() -> None:
    assert [name for name in KINDS if f"`{name}`" not in PAGES["lab"]] == []


@pytest.mark.parametrize("name", FLAGS)
def test_each_flag_of_a_group_is_in_a_page(name: str) -> None:
    assert re.search(rf"--{spelled(name)}(?![\w-])", "\n".join(PAGES.values()))


@pytest.mark.parametrize("name", FLAGS)
def test_each_flag_of_a_group_is_looked_at(name: str) -> None:
    assert any(re.search(rf"\.{name}\b", path.read_text()) for path in MODULES)
