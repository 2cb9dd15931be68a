"""Gives a reason to each verdict that needs one: by the whole Kconfig where it can be parsed, else by its text."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mplskit import process
from mplskit.config.dotconfig import read
from mplskit.config.kbuild import CLEAN
from mplskit.config.verdict import Verdict
from mplskit.errors import Failure
from mplskit.progress import note
from mplskit.sources.source_tree import SourceTree

if TYPE_CHECKING:
    from mplskit.config.explain.load_kconfig import KernelKconfig


class Kconfig:
    """The Kconfig of a source, parsed when it is asked for the first time; make works below `folder` for a moment."""

    def __init__(self, source: SourceTree, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._loaded: KernelKconfig | None = None
        self._failure: Exception | None = None
        self.environment: dict[str, str] = {}

    def parsed(self, config: Path) -> "KernelKconfig | None":
        """It with the values of `config`; None, and a note at the first time, where it cannot be parsed.

        Whatever the parser stumbles over, the kernel's own tools take this tree.
        """
        if self._failure:
            return None
        try:
            self._load(config)
        except Exception as error:
            self.failed(error)
            return None
        return self._loaded

    def failed(self, error: Exception) -> None:
        """Parsing it, or asking it, has ended so: it is not asked again."""
        self._failure, self._loaded = error, None
        said = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        first = said.strip().splitlines()[0]
        note(f"! the Kconfig of this tree cannot be parsed, its text is shown instead: {first}")

    def _load(self, config: Path) -> None:
        # Kconfiglib takes the longest of all imports, and most configurations need no word of explanation.
        from mplskit.config.explain.load_kconfig import load

        if self._loaded:
            self._loaded.take(config)
        else:
            self.environment = kconfig_environment(self._source, self._folder)
            self._loaded = load(self._source.path, self.environment, config)

    def names(self) -> set[str]:
        """The symbols of this kernel, as far as they can be found; none where the tree cannot be read."""
        from mplskit.config.explain.kconfig_blocks import scan_tree
        from mplskit.config.explain.loss_reasons import symbols_of

        if self._loaded:
            return symbols_of(self._loaded)
        try:
            return {block.symbol for block in scan_tree(self._source.path, self.environment.get("SRCARCH", ""))}
        except OSError:
            return set()


def with_reasons(
    source: SourceTree,
    path: Path,
    asked: Sequence[Verdict],
    base: Sequence[Verdict],
    kconfig: Kconfig | None = None,
) -> tuple[list[Verdict], list[Verdict]]:
    """The verdicts on the `.config` at `path`, explained where they need it; no failure to explain is a failure."""
    everything = [*asked, *base]
    if all(verdict.granted and not _promoted(verdict) for verdict in everything) and not _maybe_unknown(asked, path):
        return list(asked), list(base)
    kconfig = kconfig or Kconfig(source, path.parent)
    from mplskit.config.explain.answer import explain, show_blocks

    try:
        if loaded := kconfig.parsed(path):
            return explain(asked, base, loaded, source.path)
    except Exception as error:
        kconfig.failed(error)
    try:
        shown = show_blocks(everything, source.path, kconfig.environment.get("SRCARCH", ""))
    except OSError as error:
        note(f"! nor can it be read: {error}")
        shown = everything
    return shown[: len(asked)], shown[len(asked) :]


def kconfig_environment(source: SourceTree, folder: Path) -> dict[str, str]:
    """The environment that the kernel's Makefile gives to its configuration tool. Raises BuildFailed.

    make works below `folder` for a moment.
    """
    # In a scratch folder: the Makefile's compiler probes leave files where they run.
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        argv = ["make", "-s", "-C", str(source.path), f"O={scratch}", "--eval=mplskit-envconfig: ; @env"]
        shown = process.run([*argv, "mplskit-envconfig"], env=CLEAN).stdout
    pairs = (line.partition("=") for line in shown.splitlines())
    return {name: value for name, _, value in pairs if re.fullmatch(r"\w+", name)}


def _promoted(verdict: Verdict) -> bool:
    return verdict.setting.value == "m" and verdict.got == "y"


def _maybe_unknown(verdicts: Sequence[Verdict], path: Path) -> bool:
    """Whether an absent symbol was asked to be absent and the file does not name it: it may be a misspelling."""
    named = read(path.read_text(errors="surrogateescape")).values
    return any(v.granted and v.setting.value == "n" and v.setting.symbol not in named for v in verdicts)
