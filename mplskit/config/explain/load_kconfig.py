"""Reads a kernel's Kconfig with Kconfiglib, in the words that Kconfiglib knows, and the values of a `.config`."""

import contextlib
import gc
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kconfiglib

# Kconfiglib 14.1.0 reads the language as it was before Linux 5.13. What came later is said in its words:
# a bare `modules` (5.13), `transitional` (6.18), `depends on A if B` (7.x).
_MODULES = re.compile(r"^([ \t]+)modules[ \t]*(#.*)?$", re.MULTILINE)
_TRANSITIONAL = re.compile(r"^[ \t]+transitional[ \t]*(#.*)?$", re.MULTILINE)
_CONDITIONAL = re.compile(
    r"^([ \t]+depends[ \t]+on[ \t]+)([^#\n]+?)[ \t]+if[ \t]+([^#\n]+?)[ \t]*(#.*)?$", re.MULTILINE
)
_CONFIG = re.compile(r"^[ \t]*(?:menu)?config[ \t]+(\w+)", re.MULTILINE)


class KernelKconfig(kconfiglib.Kconfig):
    """A kernel's Kconfig; `transitional` are the symbols that only carry an old name's value to the new one (6.18)."""

    def __init__(self) -> None:
        self.transitional: set[str] = set()
        super().__init__("Kconfig", warn=False, suppress_traceback=False)

    def take(self, config: Path) -> None:
        """Have the values of this configuration, and no others."""
        self.load_config(str(config.resolve()))

    def _open(self, filename: str, mode: str) -> Any:
        if mode != "r" or "Kconfig" not in Path(filename).name:
            return super()._open(filename, mode)
        text = Path(filename).read_text(errors="replace")
        self.transitional |= transitional(text)
        return io.StringIO(modernise(text))


def modernise(text: str) -> str:
    """A Kconfig file in the words that Kconfiglib knows, line for line."""
    text = _MODULES.sub(r"\1option modules", text)
    text = _TRANSITIONAL.sub("", text)
    return _CONDITIONAL.sub(r"\1(\2) || !(\3)", text)


def transitional(text: str) -> set[str]:
    """The symbols of a Kconfig file that are marked `transitional`."""
    found = set()
    for mark in _TRANSITIONAL.finditer(text):
        above = [config[1] for config in _CONFIG.finditer(text, 0, mark.start())]
        found |= set(above[-1:])
    return found


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """A parser makes much and throws away little: looking for cycles in it takes a quarter of its time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def load(tree: Path, environment: Mapping[str, str], config: Path) -> KernelKconfig:
    """The tree's Kconfig with the values of `config`. Raises whatever Kconfiglib does where it cannot be parsed."""
    before = dict(os.environ)
    tree, config = tree.resolve(), config.resolve()
    os.environ.update({**environment, "srctree": str(tree), "CONFIG_": "CONFIG_"})
    try:
        # The probes of the compiler leave files where they run.
        with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch), _without_collector():
            loaded = KernelKconfig()
            loaded.take(config)
    finally:
        os.environ.clear()
        os.environ.update(before)
    return loaded
