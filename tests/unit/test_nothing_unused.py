"""Code that nobody calls is no part of the product."""

import ast
import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What these decorate is called by the library that they are of.
CALLED = re.compile(r"(field_validator|model_validator|hookimpl)\b")


def defined(text: str) -> list[str]:
    """The names of functions, methods and classes of a module, but for those that Python and libraries call."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    ours = [node for node in found if not any(CALLED.search(ast.unparse(word)) for word in node.decorator_list)]
    return [node.name for node in ours if not node.name.startswith("__")]


def test_whatever_is_defined_is_named_a_second_time_in_the_product() -> None:
    modules = {path: path.read_text() for path in sorted((ROOT / "mplskit").rglob("*.py"))}
    others = [path.read_text() for kind in ("*.py", "*.j2") for path in (ROOT / "bootstrap").rglob(kind)]
    pages = [path.read_text() for path in (ROOT / "mplskit").rglob("*.j2")]
    words = Counter(word for text in (*modules.values(), *others, *pages) for word in re.findall(r"\w+", text))
    unused = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in modules.items()
        for name in defined(text)
        if words[name] == 1
    ]
    assert unused == []
