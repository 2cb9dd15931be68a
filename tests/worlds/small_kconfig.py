"""A Kconfig tree of some sixty symbols (tests/worlds/small-kconfig), and what is explained of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mplskit.config.config_request import parse_set
from mplskit.config.explain.answer import explain
from mplskit.config.explain.load_kconfig import load
from mplskit.config.explain.loss_texts import paragraphs
from mplskit.config.fragment import Setting, apply, parse_config
from mplskit.config.verdict import Verdict, verdicts_on

TREE = Path(__file__).parent / "small-kconfig"
ENVIRONMENT = {"CC": "gcc", "CC_VERSION_TEXT": "gcc (Debian 12.2.0-14) 12.2.0"}
READY = "MODULES=y EXPERT=y NET=y MPLS=y LWTUNNEL=y PROC_SYSCTL=y"


@dataclass(frozen=True)
class Told:
    """What was asked of the small tree and what came of it."""

    verdicts: list[Verdict]

    def __getitem__(self, symbol: str) -> Verdict:
        return next(verdict for verdict in self.verdicts if verdict.setting.symbol == symbol)

    def text(self) -> str:
        return paragraphs([verdict for verdict in self.verdicts if not verdict.granted])


def settings_of(words: Iterable[str]) -> list[Setting]:
    return [parse_set(word) for word in words]


def told(folder: Path, start: str, *asked: str, base: str = "") -> Told:
    """Configure the small tree, begun with `start`, and explain."""
    return explained(folder, start, settings_of(asked), base)


def explained(folder: Path, start: str, asked: list[Setting], base: str = "") -> Told:
    file = folder / ".config"
    file.write_text(apply("".join(f"CONFIG_{word}\n" for word in start.split()), asked))
    # What olddefconfig does.
    load(TREE, ENVIRONMENT, file).write_config(str(file))
    config = parse_config(file.read_text())
    of_base = [Setting(s.symbol, s.value, "bases/small.config:1") for s in settings_of(base.split())]
    kconfig = load(TREE, ENVIRONMENT, file)
    verdicts, _ = explain(verdicts_on(asked, config), verdicts_on(of_base, config), kconfig, TREE)
    return Told(verdicts)


def judged(folder: Path, config: str, *asked: str) -> Told:
    """Explain over a .config that olddefconfig is said to have written."""
    (folder / ".config").write_text(config)
    kconfig = load(TREE, ENVIRONMENT, folder / ".config")
    return Told(explain(verdicts_on(settings_of(asked), parse_config(config)), [], kconfig, TREE)[0])
