"""The parts of mplskit and which of them imports which, drawn from the imports: the picture in docs/architecture.md.

`MPLSKIT_GOLDEN=write .venv/bin/python -m pytest tests/unit/test_parts.py` draws it anew.
"""

from collections.abc import Mapping
from functools import cache

import grimp

PACKAGE = "mplskit"


@cache
def imported() -> dict[str, set[str]]:
    """What each folder and each module of the package imports of the others."""
    graph = _graph()
    found: dict[str, set[str]] = {}
    for child in graph.find_children(PACKAGE):
        modules = {child, *graph.find_descendants(child)}
        names = {_top(name) for module in modules for name in graph.find_modules_directly_imported_by(module)}
        found[_top(child)] = names - {_top(child), ""}
    return found


def parts() -> dict[str, set[str]]:
    """Each folder of the package, and the folders that its modules import."""
    every = imported()
    folders = {name for name in every if _graph().find_children(f"{PACKAGE}.{name}")}
    return {name: every[name] & folders for name in folders}


def reduced(imports: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same without what is reached by way of others anyway."""
    return {
        part: {one for one in direct if not any(one in _reached(imports, other) for other in direct - {one})}
        for part, direct in imports.items()
    }


def picture() -> str:
    """A Mermaid graph: an arrow from each part to those that it builds on."""
    lines = [f"    {part} --> {other}" for part, others in sorted(reduced(parts()).items()) for other in sorted(others)]
    return "\n".join(["```mermaid", "graph TD", *lines, "```"])


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(PACKAGE)


def _reached(imports: Mapping[str, set[str]], part: str) -> set[str]:
    """What a part builds on, by way of others too."""
    return imports[part].union(*(_reached(imports, other) for other in imports[part]))


def _top(module: str) -> str:
    """A module's folder, or the module where it lies beside the folders; empty for the package itself."""
    return ".".join(module.split(".")[1:2])
