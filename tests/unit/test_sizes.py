"""What is read at a time is short, in the product and in the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE, FUNCTION = 400, 60


def long_ones(path: Path) -> Iterator[str]:
    """A file and its functions, as far as they have too many lines."""
    text = path.read_text()
    if (lines := text.count("\n")) > FILE:
        yield f"{path.relative_to(ROOT)}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION:
            yield f"{path.relative_to(ROOT)}: {node.name}: {lines} lines"


def test_no_file_has_more_than_400_lines_and_no_function_more_than_60() -> None:
    files = [path for part in ("mplskit", "tests", "bootstrap") for path in sorted((ROOT / part).rglob("*.py"))]
    assert [said for path in files for said in long_ones(path)] == []
