# What mplskit uses of Kconfiglib 14.1.0, which has no types of its own.
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

AND: int
OR: int
NOT: int
EQUAL: int
UNEQUAL: int
LESS: int
LESS_EQUAL: int
GREATER: int
GREATER_EQUAL: int
UNKNOWN: int
BOOL: int
TRISTATE: int
STRING: int
INT: int
HEX: int

class MenuNode:
    filename: str
    linenr: int
    prompt: tuple[str, _Expression] | None

class _Item:
    kconfig: Kconfig
    nodes: Sequence[MenuNode]
    orig_type: int
    direct_dep: _Expression
    is_constant: bool
    @property
    def type(self) -> int: ...
    @property
    def tri_value(self) -> int: ...
    @property
    def assignable(self) -> Sequence[int]: ...
    def set_value(self, value: str) -> bool: ...
    def _rec_invalidate(self) -> None: ...

class Symbol(_Item):
    name: str
    choice: Choice | None
    defaults: Sequence[tuple[Any, _Expression]]
    ranges: Sequence[tuple[Symbol, Symbol, _Expression]]
    rev_dep: _Expression
    weak_rev_dep: _Expression
    user_value: str | int | None
    @property
    def str_value(self) -> str: ...
    @property
    def config_string(self) -> str: ...

class Choice(_Item):
    name: str | None
    syms: Sequence[Symbol]
    user_value: int | None
    user_selection: Symbol | None
    @property
    def selection(self) -> Symbol | None: ...
    def _selection_from_defaults(self) -> Symbol | None: ...

# (operator, operand) or (operator, left, right): the operands are symbols, choices or such tuples.
_Expression = Symbol | Choice | tuple[Any, ...]

class Kconfig:
    syms: Mapping[str, Symbol]
    modules: Symbol
    n: Symbol
    unique_defined_syms: Sequence[Symbol]
    def __init__(self, filename: str, warn: bool = ..., *, suppress_traceback: bool = ...) -> None: ...
    def load_config(self, filename: str) -> str: ...
    def write_config(self, filename: str) -> str: ...
    def _open(self, filename: str, mode: str) -> Any: ...

def expr_value(expr: _Expression) -> int: ...
def expr_str(expr: _Expression, sc_expr_str_fn: Callable[[Symbol | Choice], str] = ...) -> str: ...
def expr_items(expr: _Expression) -> Collection[Any]: ...
def split_expr(expr: _Expression, op: int) -> list[Any]: ...
