"""Gives a reason to each verdict that needs one: by the whole Kconfig where it can be parsed, else by its text."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mplskit import process
from mplskit.config.dotconfig import read
from mplskit.config.kbuild import CLEAN
from mplskit.config.verdict import Verdict
from mplskit.errors import Failure
from mplskit.progress import note
from mplskit.sources.tree import SourceTree


def with_reasons(
    source: SourceTree, path: Path, asked: Sequence[Verdict], base: Sequence[Verdict]
) -> tuple[list[Verdict], list[Verdict]]:
    """The verdicts on the `.config` at `path`, explained where they need it; no failure to explain is a failure."""
    everything = [*asked, *base]
    if all(verdict.granted and not _promoted(verdict) for verdict in everything) and not _maybe_unknown(asked, path):
        return list(asked), list(base)
    environment: dict[str, str] = {}
    try:
        # Kconfiglib takes the longest of all imports, and most configurations need no word of explanation.
        from mplskit.config.explain.answer import explain
        from mplskit.config.explain.load import load

        environment = kconfig_environment(source, path.parent)
        kconfig = load(source.path, environment, path)
        return explain(asked, base, kconfig, source.path)
    except Exception as error:
        # Whatever the parser stumbles over, the kernel's own tools have taken this tree.
        said = str(error) if isinstance(error, Failure) else f"{type(error).__name__}: {error}"
        note(f"! the Kconfig of this tree cannot be parsed, its text is shown instead: {said.strip().splitlines()[0]}")
    try:
        from mplskit.config.explain.answer import show_blocks

        shown = show_blocks(everything, source.path, environment.get("SRCARCH", ""))
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
