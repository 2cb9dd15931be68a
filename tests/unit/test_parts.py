"""What imports what in mplskit, as docs/architecture.md shows it and the contract in pyproject.toml wants it."""

import os
import tomllib
from pathlib import Path

import grimp

from tests.parts import imported, parts, picture

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "architecture.md"


def test_the_picture_of_the_parts_is_drawn_from_the_imports() -> None:
    before, _, rest = PAGE.read_text().partition("```mermaid\n")
    _, _, after = rest.partition("```\n")
    page = f"{before}{picture()}\n{after}"
    if os.environ.get("MPLSKIT_GOLDEN") == "write":
        PAGE.write_text(page)
    assert PAGE.read_text() == page


def test_every_part_has_its_place_in_the_contract_and_on_the_page() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    placed = {name for layer in contracts[0]["layers"] for name in layer.split(" | ")}
    assert placed == {*parts(), "tasks"}
    assert [part for part in parts() if f"| `{part}/` |" not in PAGE.read_text()] == []


def test_a_module_beside_the_parts_imports_none_of_them_but_that_of_all_tasks() -> None:
    beside = {module: names & parts().keys() for module, names in imported().items() if module not in parts()}
    assert {module for module, found in beside.items() if found} == {"tasks"}


def test_invoke_is_known_to_the_tasks_alone_and_to_what_they_are_made_with() -> None:
    graph = grimp.build_graph("mplskit", include_external_packages=True)
    users = {user for one in ("invoke", "mplskit.cli") for user in graph.find_modules_that_directly_import(one)}
    assert {user for user in users if not user.endswith(".tasks")} == {"mplskit.cli"}
