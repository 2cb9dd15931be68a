"""Says why the kernel's configuration tool did not grant a setting. It explains; it never writes a configuration."""

import difflib
import io
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import kconfiglib

from mplskit.config.verdict import State, Verdict

# Kconfiglib 14.1.0 reads the language as it was before Linux 5.13. What came later is said in its words:
# a bare `modules` (5.13), `transitional` (6.18), `depends on A if B` (7.x).
_MODULES = re.compile(r"^([ \t]+)modules[ \t]*$", re.MULTILINE)
_TRANSITIONAL = re.compile(r"^[ \t]+transitional[ \t]*$", re.MULTILINE)
_CONDITIONAL = re.compile(
    r"^([ \t]+depends[ \t]+on[ \t]+)([^#\n]+?)[ \t]+if[ \t]+([^#\n]+?)[ \t]*(#.*)?$", re.MULTILINE
)


class _Kconfig(kconfiglib.Kconfig):  # type: ignore[misc]
    def _open(self, filename: str, mode: str) -> Any:
        if mode != "r" or "Kconfig" not in Path(filename).name:
            return super()._open(filename, mode)
        return io.StringIO(modernise(Path(filename).read_text(errors="replace")))


def modernise(text: str) -> str:
    """A Kconfig file in the words that Kconfiglib knows."""
    text = _MODULES.sub(r"\1option modules", text)
    text = _TRANSITIONAL.sub("", text)
    return _CONDITIONAL.sub(r"\1(\2) || !(\3)", text)


def load(tree: Path, environment: Mapping[str, str], config: Path) -> Any:
    """The tree's Kconfig with the values of `config`. Raises kconfiglib.KconfigError where it cannot be parsed."""
    before = dict(os.environ)
    os.environ.update({**environment, "srctree": str(tree), "CONFIG_": "CONFIG_"})
    try:
        loaded = _Kconfig("Kconfig", warn=False, suppress_traceback=False)
        loaded.load_config(str(config))
    finally:
        os.environ.clear()
        os.environ.update(before)
    return loaded


def explain(verdicts: list[Verdict], kconfig: Any) -> list[Verdict]:
    """The verdicts with a reason for each that is not granted; a symbol that the tree does not have becomes unknown."""
    asked = {verdict.setting.symbol: verdict for verdict in verdicts}
    return [_explain(verdict, kconfig, asked) for verdict in verdicts]


def _explain(verdict: Verdict, kconfig: Any, asked: Mapping[str, Verdict]) -> Verdict:
    name = verdict.setting.symbol
    symbol = kconfig.syms.get(name)
    if symbol is None or not symbol.nodes:
        names = [known for known, found in kconfig.syms.items() if found.nodes]
        close = difflib.get_close_matches(name, names, 3, 0.75)
        why = "this kernel has no such symbol" + (f"; did you mean {' or '.join(close)}?" if close else "")
        return replace(verdict, state=State.UNKNOWN, why=why)
    if verdict.granted:
        return verdict
    place = f"{symbol.nodes[0].filename}:{symbol.nodes[0].linenr}"
    if verdict.state is State.FORCED:
        return replace(verdict, why=f"{_forced(symbol)} ({place})")
    unmet = [_operand(part, asked) for part in _unmet(symbol.direct_dep, _rank(verdict.setting.value))]
    if unmet:
        return replace(verdict, why=f"depends on {' and '.join(unmet)} ({place})")
    if all(node.prompt is None for node in symbol.nodes):
        return replace(verdict, why=f"cannot be set by a user, only selected by others ({place})")
    hidden = [_operand(part, asked) for node in symbol.nodes if node.prompt for part in _unmet(node.prompt[1], 1)]
    return replace(verdict, why=f"can only be set with {' and '.join(hidden)} ({place})" if hidden else f"see {place}")


def _rank(value: str) -> int:
    return {"n": 0, "m": 1}.get(value, 2)


def _unmet(expression: Any, rank: int) -> Iterator[Any]:
    """The operands of a conjunction that are below what was asked."""
    for part in kconfiglib.split_expr(expression, kconfiglib.AND):
        if kconfiglib.expr_value(part) < rank:
            yield part


def _operand(part: Any, asked: Mapping[str, Verdict]) -> str:
    text: str = kconfiglib.expr_str(part, lambda item: f"{item.name} [={item.str_value}]" if item.nodes else item.name)
    names = [item.name for item in kconfiglib.expr_items(part) if item.name in asked]
    # Who asked for less than y and has got it, is why; who has not got it, suffers from the same cause.
    askers = [asked[name].setting for name in names if asked[name].granted and asked[name].setting.value != "y"]
    return text + "".join(f" (asked by {setting.asked_by})" for setting in askers)


def _forced(symbol: Any) -> str:
    selecting = [
        select for select in kconfiglib.split_expr(symbol.rev_dep, kconfiglib.OR) if kconfiglib.expr_value(select) > 0
    ]
    if not selecting:
        return "on by default, and no user can set it"
    first = [kconfiglib.split_expr(select, kconfiglib.AND)[0] for select in selecting]
    return f"selected by {', '.join(item.name for item in first)}"
