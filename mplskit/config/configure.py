"""Makes a `.config` that provably holds what was asked: the kernel's own tools write it, we read it again."""

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mplskit import files, process
from mplskit.config.fragment import apply, parse_config, read_fragment
from mplskit.config.kbuild import CLEAN
from mplskit.config.request import Request
from mplskit.config.verdict import Verdict, judge
from mplskit.errors import NotSo
from mplskit.progress import note, step
from mplskit.sources.tree import SourceTree


@dataclass(frozen=True)
class Configured:
    """A `.config` and the verdicts on what was asked of it; `base` are those of the base that were not granted."""

    path: Path
    verdicts: tuple[Verdict, ...]
    base: tuple[Verdict, ...]
    base_name: str

    @property
    def lost(self) -> list[Verdict]:
        """What was asked and not granted."""
        return [verdict for verdict in self.verdicts if not verdict.granted]

    def as_json(self) -> dict[str, Any]:
        """The configuration as `--json` and metadata.json show it."""
        return {
            "config": str(self.path),
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


def configure(source: SourceTree, request: Request, build: Path) -> Configured:
    """Configure `source` out of tree below `build`; the same request is answered from what is there.

    The answer may hold lost settings: `demand` stops on them. Raises BuildFailed when the kernel's own tools fail,
    WrongInput for a base file that is no configuration.
    """
    process.require("make", "gcc", "flex", "bison", package="make gcc flex bison")
    settings = [[s.symbol, s.value] for s in request.settings]
    base = files.digest_file(request.base.path)
    key = files.digest_of([source.digest, request.base.whole, base, settings, compiler()])[:16]
    target = build / "config" / key
    log = build / "logs" / f"config-{key}.log"

    def make(folder: Path) -> None:
        with step(f"configuring Linux {source.version} from the base {request.base.name}"):
            _write(source, request, folder, log)

    files.build_once(target, make)
    return _judged(source, request, target / ".config")


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


def _write(source: SourceTree, request: Request, folder: Path, log: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        config = Path(scratch, ".config")
        if request.base.whole:
            config.write_text(request.base.path.read_text())
        else:
            # The kernel's own way to say "these, and nothing else" (Documentation/kbuild/kconfig.rst).
            _make(source, scratch, log, "allnoconfig", {"KCONFIG_ALLCONFIG": str(request.base.path)})
        config.write_text(apply(config.read_text(), request.settings))
        _make(source, scratch, log, "olddefconfig")
        config.rename(folder / ".config")


def _make(
    source: SourceTree, scratch: str, log: Path, target: str, env: Mapping[str, str] = MappingProxyType({})
) -> None:
    process.run(["make", "-C", source.path, f"O={scratch}", target], log=log, env={**CLEAN, **env})


def _judged(source: SourceTree, request: Request, path: Path) -> Configured:
    config = parse_config(path.read_text())
    verdicts = judge(request.settings, config)
    asked = {setting.symbol for setting in request.settings}
    base = [] if request.base.whole else read_fragment(request.base.path, f"bases/{request.base.name}.config")
    from_base = judge([setting for setting in base if setting.symbol not in asked], config)
    everything = [*verdicts, *from_base]
    if not all(verdict.granted for verdict in everything) or _maybe_unknown(verdicts, path):
        everything = _explained(source, path, everything)
    return Configured(
        path,
        tuple(everything[: len(verdicts)]),
        tuple(verdict for verdict in everything[len(verdicts) :] if not verdict.granted),
        request.base.name,
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
