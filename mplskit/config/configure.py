"""Makes a `.config` that provably holds what was asked: the kernel's own tools write it, we read it again."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mplskit import files, process
from mplskit.config.fragment import apply, parse_config
from mplskit.config.kbuild import CLEAN
from mplskit.config.request import Request
from mplskit.config.start import Starting, starting
from mplskit.config.trim import modules_of, trim
from mplskit.config.verdict import Verdict, judge
from mplskit.errors import NotSo
from mplskit.paths import Workspace
from mplskit.progress import note, step
from mplskit.sources.tree import SourceTree


@dataclass(frozen=True)
class Configured:
    """A `.config` and the verdicts on what was asked of it; `base` are those of the base that were not granted.

    `origin` says what it was begun with, and what it was trimmed to.
    """

    path: Path
    verdicts: tuple[Verdict, ...]
    base: tuple[Verdict, ...]
    base_name: str
    origin: str

    @property
    def lost(self) -> list[Verdict]:
        """What was asked and not granted."""
        return [verdict for verdict in self.verdicts if not verdict.granted]

    def as_json(self) -> dict[str, Any]:
        """The configuration as `--json` and metadata.json show it."""
        return {
            "config": str(self.path),
            "from": self.origin,
            "sha256": files.digest_file(self.path),
            "verdicts": verdict_rows(self.verdicts),
            "base": verdict_rows(self.base),
        }


def verdict_rows(verdicts: Sequence[Verdict]) -> list[dict[str, str]]:
    """Verdicts as rows: symbol, asked, got, verdict, why, asked_by."""
    return [
        {
            "symbol": v.setting.symbol,
            "asked": v.setting.value,
            "got": v.got,
            "verdict": str(v.state),
            "why": v.why,
            "asked_by": v.setting.asked_by,
        }
        for v in verdicts
    ]


def compiler() -> str:
    """The first line of what the compiler says of itself: Kconfig and the packages depend on it."""
    return process.run(["gcc", "--version"]).stdout.splitlines()[0]


def configure(source: SourceTree, request: Request, workspace: Workspace) -> Configured:
    """Configure `source` out of tree in the build folder; the same request is answered from what is there.

    The answer may hold lost settings: `demand` stops on them. Raises BuildFailed when the kernel's own tools fail,
    and whatever finding the base or the modules of a node raises.
    """
    process.require("make", "gcc", "flex", "bison", package="make gcc flex bison")
    start = starting(request.base, source, workspace.cache)
    modules = modules_of(request.trim_to) if request.trim_to else None
    settings = [[s.symbol, s.value] for s in (*start.settings, *request.settings)]
    begun = [request.base.start, start.text, modules and sorted(modules)]
    key = files.digest_of([source.digest, begun, settings, compiler()])[:16]
    target = workspace.build / "config" / key
    log = workspace.build / "logs" / f"config-{key}.log"

    def make(folder: Path) -> None:
        with step(f"configuring Linux {source.version} from {request.base.name} ({start.origin})"):
            _Writing(source, folder, log).write(request, start, modules)

    files.build_once(target, make)
    trimmed = f", trimmed to {len(modules)} modules of {request.trim_to}" if modules else ""
    return _judged(source, request, replace(start, origin=start.origin + trimmed), target / ".config")


def demand(configured: Configured) -> None:
    """Raise NotSo unless all that was asked is granted."""
    if not configured.lost:
        return
    raise NotSo(
        f"the configuration does not hold what was asked: {', '.join(v.setting.symbol for v in configured.lost)}",
        detail="\n".join(_sentence(verdict) for verdict in configured.lost),
        hint="change what is asked (--set, --options, --fragment) or the base; nothing was built",
    )


def read_back(configured: Configured, text: str, where: str) -> list[Verdict]:
    """Judge the configuration inside a finished package. Raises NotSo when it lost something on the way."""
    verdicts = judge([verdict.setting for verdict in configured.verdicts], parse_config(text))
    lost = [verdict for verdict in verdicts if not verdict.granted]
    if lost:
        raise NotSo(f"{where} holds another configuration than was asked", detail="\n".join(_sentence(v) for v in lost))
    return verdicts


def _sentence(verdict: Verdict) -> str:
    asked, got = verdict.setting.value, verdict.got
    line = f"{verdict.setting.symbol}: asked {asked} ({verdict.setting.asked_by}), got {got}: {verdict.state}"
    return f"{line}: {verdict.why}" if verdict.why else line


@dataclass(frozen=True)
class _Writing:
    source: SourceTree
    folder: Path
    log: Path

    def write(self, request: Request, start: Starting, modules: frozenset[str] | None) -> None:
        """Put the finished `.config` into the folder."""
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            config = Path(scratch, ".config")
            if start.text is None:
                # The kernel's own way to say "these, and nothing else" (Documentation/kbuild/kconfig.rst).
                over = Path(scratch, "over")
                over.write_text("".join(f"{setting.line()}\n" for setting in start.settings))
                self._make(scratch, str(request.base.start), {"KCONFIG_ALLCONFIG": str(over)})
            else:
                config.write_text(start.text)
            if modules is not None:
                self._make(scratch, "olddefconfig")
                trim(config, modules, lambda *how: self._make(scratch, *how))
            config.write_text(apply(config.read_text(), [*start.settings, *request.settings]))
            self._make(scratch, "olddefconfig")
            config.rename(self.folder / ".config")

    def _make(
        self, scratch: str, target: str, env: Mapping[str, str] = MappingProxyType({}), stdin: bytes | None = None
    ) -> None:
        argv: list[str | Path] = ["make", "-C", self.source.path, f"O={scratch}", target]
        process.run(argv, log=self.log, env={**CLEAN, **env}, stdin=stdin)


def _judged(source: SourceTree, request: Request, start: Starting, path: Path) -> Configured:
    config = parse_config(path.read_text())
    verdicts = judge(request.settings, config)
    asked = {setting.symbol for setting in request.settings}
    from_base = judge([setting for setting in start.settings if setting.symbol not in asked], config)
    everything = [*verdicts, *from_base]
    if not all(verdict.granted for verdict in everything) or _maybe_unknown(verdicts, path):
        everything = _explained(source, path, everything)
    return Configured(
        path,
        tuple(everything[: len(verdicts)]),
        tuple(verdict for verdict in everything[len(verdicts) :] if not verdict.granted),
        request.base.name,
        start.origin,
    )


def _maybe_unknown(verdicts: Sequence[Verdict], path: Path) -> bool:
    """Whether an absent symbol was asked to be absent and the file does not name it: it may be a misspelling."""
    named = set(re.findall(r"^# CONFIG_(\w+) is not set$", path.read_text(), re.MULTILINE))
    return any(v.granted and v.setting.value == "n" and v.setting.symbol not in named for v in verdicts)


def _explained(source: SourceTree, path: Path, verdicts: list[Verdict]) -> list[Verdict]:
    from kconfiglib import KconfigError

    from mplskit.config.explain import explain, load

    try:
        return explain(verdicts, load(source.path, _environment(source), path))
    except KconfigError as error:
        note(f"no explanation: this tree's Kconfig cannot be parsed: {error}")
        return verdicts


def _environment(source: SourceTree) -> dict[str, str]:
    """The environment that the kernel's Makefile gives to its configuration tool."""
    # In a scratch folder: the Makefile's compiler probes leave files where they run.
    with tempfile.TemporaryDirectory() as scratch:
        argv = ["make", "-s", "-C", str(source.path), f"O={scratch}", "--eval=mplskit-envconfig: ; @env"]
        shown = process.run([*argv, "mplskit-envconfig"], env=CLEAN).stdout
    pairs = (line.partition("=") for line in shown.splitlines())
    return {name: value for name, _, value in pairs if re.fullmatch(r"\w+", name)}
