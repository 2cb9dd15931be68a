"""Makes a `.config` that provably holds what was asked: the kernel's own tools write it, we read it again."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mplskit import files, process
from mplskit.config import base_losses, named_files, needed_tools
from mplskit.config.base_losses import Loss
from mplskit.config.config_request import Base, Request
from mplskit.config.debuginfo import without_debug_info
from mplskit.config.dotconfig import read
from mplskit.config.explain.loss_texts import heading, paragraphs
from mplskit.config.fix import fixed, mends
from mplskit.config.fragment import Setting, apply, parse_config
from mplskit.config.kbuild import CLEAN
from mplskit.config.reasons import Kconfig, with_reasons
from mplskit.config.starting_point import StartingPoint, starting_point
from mplskit.config.trim import modules_of, trim
from mplskit.config.verdict import NO_SUCH_SYMBOL, Verdict, of_other_releases, of_release, verdicts_on
from mplskit.errors import NotSo
from mplskit.paths import Workspace
from mplskit.progress import note, step
from mplskit.sources.source_tree import SourceTree

# The configuration before modules were trimmed away, beside the finished one.
UNTRIMMED = ".config.untrimmed"


@dataclass(frozen=True)
class Configured:
    """A `.config` and the verdicts on what was asked of it; `base` are those of the base that were not granted.

    `origin` says what it was begun with, and what it was trimmed to; `elsewhere` are settings for other releases.
    `losses` are the settings of the base that are not as they were, of those it has `total`.
    """

    path: Path
    verdicts: tuple[Verdict, ...]
    base: tuple[Verdict, ...]
    base_name: str
    origin: str
    elsewhere: tuple[Verdict, ...] = ()
    losses: tuple[Loss, ...] = ()
    total: int = 0

    def values(self) -> dict[str, str]:
        """What is set in the finished `.config`, by symbol, as `parse_config` has it."""
        return parse_config(_text(self.path))

    @property
    def lost(self) -> list[Verdict]:
        """What was asked and not granted."""
        return [verdict for verdict in self.verdicts if not verdict.granted]

    def as_json(self) -> dict[str, object]:
        """The configuration as `--json` and metadata.json show it."""
        return {
            "config": str(self.path),
            "from": self.origin,
            "sha256": files.digest_file(self.path),
            "verdicts": verdict_rows([*self.verdicts, *self.elsewhere]),
            "base": verdict_rows(self.base),
            "base_lost": [loss.as_json() for loss in self.losses],
        }


def verdict_rows(verdicts: Sequence[Verdict]) -> list[dict[str, object]]:
    """Verdicts as rows: symbol, asked, got, verdict, why, asked_by; of what was not granted the chain and the ways."""
    return [
        {
            "symbol": v.setting.symbol,
            "asked": v.setting.value,
            "got": v.got,
            "verdict": str(v.state),
            "why": v.why,
            "asked_by": v.setting.asked_by,
            **({"chain": [asdict(link) for link in v.chain]} if v.chain else {}),
            **({"ways": [list(way) for way in v.ways]} if v.ways else {}),
            **({"against": [list(who) for who in v.against]} if any(v.against) else {}),
        }
        for v in verdicts
    ]


def compiler() -> str:
    """The first line of what the compiler says of itself: Kconfig and the packages depend on it."""
    return process.run(["gcc", "--version"]).stdout.splitlines()[0]


def toolchain() -> list[str]:
    """What the tools say of themselves that Kconfig asks for their features; empty words for those that are absent."""
    asked = ("gcc", "ld", "as", "pahole", "rustc", "bindgen")
    said = [process.run([tool, "--version"], check=False).stdout if process.find(tool) else "" for tool in asked]
    return [next(iter(words.splitlines()), "") for words in said]


def configure(source: SourceTree, request: Request, workspace: Workspace) -> Configured:
    """Configure `source` out of tree in the build folder; the same request is answered from what is there.

    The answer may hold lost settings: `demand` stops on them. Raises BuildFailed when the kernel's own tools fail,
    and whatever finding the base or the modules of a node raises.
    """
    process.require("make", "gcc", "flex", "bison", package="make gcc flex bison")
    start = starting_point(request.base, source, workspace.cache)
    elsewhere = of_other_releases(request.settings, source.version)
    request = replace(request, settings=of_release(request.settings, source.version))
    start = without_debug_info(start, request.settings, source.version)
    start = replace(start, settings=of_release(start.settings, source.version))
    start = _with_its_files(start, request, source)
    modules = modules_of(request.trim_to) if request.trim_to else None
    # Not in TMPDIR: make works there, and takes no path with a blank or a colon.
    workspace.build.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workspace.build) as scratch:
        kconfig = Kconfig(source, Path(scratch))
        start = replace(start, settings=(*_carried(start, request.base, kconfig, Path(scratch)), *start.settings))
        configured = _Configuring(source, start, modules, workspace, kconfig).granting(request)
    absent = [v.setting.symbol for v in configured.verdicts if v.granted and v.why == NO_SUCH_SYMBOL]
    if absent:
        note(f"asked n and granted, since {NO_SUCH_SYMBOL}: {', '.join(absent)}")
    base_losses.tell(configured.losses, configured.total, configured.path.with_name(base_losses.FILE))
    return replace(configured, elsewhere=tuple(elsewhere))


def _carried(start: StartingPoint, base: Base, kconfig: Kconfig, scratch: Path) -> tuple[Setting, ...]:
    """What the base has under names that this kernel has no more, or not yet."""
    if start.text is None:
        return ()
    from mplskit.config.explain.loss_reasons import carried

    config = scratch / "base"
    _write(config, start.text)
    kconfig.parsed(config)
    return tuple(carried(read(start.text).values, kconfig.names(), base.name))


def _with_its_files(start: StartingPoint, request: Request, source: SourceTree) -> StartingPoint:
    """The start without the files that are not here. Raises WrongInput for those that were asked for."""
    base = {**parse_config(start.text or ""), **{setting.symbol: setting.value for setting in start.settings}}
    cleared = named_files.settled(base, request.base.name, request.settings, source.path)
    return replace(start, settings=(*start.settings, *cleared))


def demand(configured: Configured) -> None:
    """Raise NotSo unless all that was asked is granted, MachineLacks where a tool is what is missing."""
    if not configured.lost:
        return
    needed_tools.demand_for(
        {v.setting.symbol for v in configured.lost if v.setting.value != "n"}, paragraphs(configured.lost)
    )
    way = "; --fix adds what there is one way for" if mends(configured.verdicts) else ""
    raise NotSo(
        f"the configuration does not hold what was asked: {', '.join(v.setting.symbol for v in configured.lost)}",
        detail=paragraphs(configured.lost),
        hint=f"change what is asked (--set, --options, --fragment) or the base{way}; nothing was built",
    )


def read_back(configured: Configured, text: str, where: str) -> list[Verdict]:
    """Judge the configuration inside a finished package. Raises NotSo when it lost something on the way."""
    verdicts = verdicts_on([verdict.setting for verdict in configured.verdicts], parse_config(text))
    lost = [verdict for verdict in verdicts if not verdict.granted]
    if lost:
        raise NotSo(f"{where} holds another configuration than was asked", detail="\n".join(map(heading, lost)))
    return verdicts


@dataclass(frozen=True)
class _Configuring:
    """What stays as it is while a request is configured, with `--fix` more than once."""

    source: SourceTree
    start: StartingPoint
    modules: frozenset[str] | None
    workspace: Workspace
    kconfig: Kconfig

    def granting(self, request: Request) -> Configured:
        """Configure, and with `--fix` again, until there is nothing that could be mended."""
        configured = self._once(request)
        tried = {request.settings}
        while request.fix and (mended := mends(configured.verdicts)):
            request = replace(request, settings=fixed(request.settings, mended))
            if request.settings in tried:
                break
            tried.add(request.settings)
            for mend in mended:
                note(f"! {mend}")
            configured = self._once(request)
        return configured

    def _once(self, request: Request) -> Configured:
        source, start, modules = self.source, self.start, self.modules
        settings = [[s.symbol, s.value] for s in (*start.settings, *request.settings)]
        begun = [request.base.start, start.text, modules and sorted(modules)]
        key = files.digest_of([source.digest, begun, settings, toolchain()])[:16]
        target = self.workspace.build / "config" / key
        log = self.workspace.build / "logs" / f"config-{key}.log"

        def make(folder: Path) -> None:
            with step(f"configuring Linux {source.version} from {request.base.name} ({start.origin})"):
                _Writing(source, folder, log).write(request, start, modules)

        # A folder that an earlier release left has not what was there before modules were trimmed away.
        files.build_once(target, make, lambda folder: modules is None or (folder / UNTRIMMED).is_file())
        return self._judged(request, target / ".config")

    def _judged(self, request: Request, path: Path) -> Configured:
        config = parse_config(_text(path))
        verdicts = verdicts_on(request.settings, config)
        asked = {setting.symbol for setting in request.settings}
        # Modules that were trimmed away are not missed.
        spared = ("m", "n") if request.trim_to else ()
        kept = [
            s for s in self.start.settings if s.symbol not in asked and (s.value, config.get(s.symbol, "n")) != spared
        ]
        from_base = verdicts_on(kept, config)
        lost, total = self._losses(request, path, verdicts)
        verdicts, from_base = with_reasons(self.source, path, verdicts, from_base, self.kconfig)
        trimmed = f", trimmed to {len(self.modules)} modules of {request.trim_to}" if self.modules else ""
        return Configured(
            path,
            tuple(verdicts),
            tuple(verdict for verdict in from_base if not verdict.granted),
            request.base.name,
            self.start.origin + trimmed,
            losses=tuple(lost),
            total=total,
        )

    def _losses(self, request: Request, path: Path, verdicts: Sequence[Verdict]) -> tuple[list[Loss], int]:
        """What became of the settings of the base, written beside the `.config`, and how many the base has."""
        start = self.start
        if start.text is None and not request.trim_to:
            return [], 0
        from mplskit.config.explain.loss_reasons import guessed
        from mplskit.config.explain.loss_reasons import losses as explained

        untrimmed = read(_text(path.with_name(UNTRIMMED))).values if request.trim_to else {}
        # A base of ours is its fragment: nothing of it is laid over it, and only what is trimmed away is lost.
        base, laid = (untrimmed, ()) if start.text is None else (read(start.text).values, start.settings)
        over = {setting.symbol: setting.asked_by for setting in (*laid, *request.settings)}
        outcome = base_losses.Outcome(base, parse_config(_text(path)), over, untrimmed)
        rows = None
        try:
            if loaded := self.kconfig.parsed(path):
                rows = explained(outcome, loaded, self.source.path, verdicts)
        except Exception as error:
            self.kconfig.failed(error)
        if rows is None:
            rows = guessed(outcome, self.kconfig.names())
        base_losses.write(rows, path.parent)
        return rows, len(outcome.base)


@dataclass(frozen=True)
class _Writing:
    source: SourceTree
    folder: Path
    log: Path

    def write(self, request: Request, start: StartingPoint, modules: frozenset[str] | None) -> None:
        """Put the finished `.config` into the folder."""
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            config = Path(scratch, ".config")
            if start.text is None:
                # The kernel's own way to say "these, and nothing else" (Documentation/kbuild/kconfig.rst).
                over = Path(scratch, "over")
                over.write_text("".join(f"{setting.line()}\n" for setting in start.settings))
                self._make(scratch, str(request.base.start), {"KCONFIG_ALLCONFIG": str(over)})
            else:
                _write(config, start.text)
            _write(config, apply(_text(config), [*start.settings, *request.settings]))
            self._make(scratch, "olddefconfig")
            if modules is not None:
                _write(self.folder / UNTRIMMED, _text(config))
                trim(config, modules, lambda *how: self._make(scratch, *how))
                # What is asked stays in, whether the node uses it or not.
                _write(config, apply(_text(config), request.settings))
                self._make(scratch, "olddefconfig")
            config.rename(self.folder / ".config")

    def _make(
        self, scratch: str, target: str, env: Mapping[str, str] = MappingProxyType({}), stdin: bytes | None = None
    ) -> None:
        argv: list[str | Path] = ["make", "-C", self.source.path, f"O={scratch}", target]
        process.run(argv, log=self.log, env={**CLEAN, **env}, stdin=stdin)


def _text(path: Path) -> str:
    # Bytes that are no UTF-8 (a name in a comment, say) go through as they are; so do carriage returns.
    return path.read_bytes().decode(errors="surrogateescape")


def _write(path: Path, text: str) -> None:
    path.write_bytes(text.encode(errors="surrogateescape"))
