"""Tests are found where they are looked for: what several files of them need is a world, below tests/worlds."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def imported(file: Path) -> set[str]:
    """The modules that a file imports, or of which it imports something."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


def test_no_file_of_tests_needs_another() -> None:
    folders = tuple(f"tests.{folder.name}." for folder in TESTS.iterdir() if any(folder.glob("test_*.py")))
    assert {
        f"{path.relative_to(TESTS)} imports {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for name in imported(path)
        if name.startswith(folders)
    } == set()
