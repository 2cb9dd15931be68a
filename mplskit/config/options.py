"""What can be asked by name: the option sets and the bases, each with the reasons that stand in its file."""

import re
from dataclasses import dataclass
from pathlib import Path

from mplskit.config.config_request import STARTS, bases, choose, known_names
from mplskit.config.fragment import Setting, read_fragment
from mplskit.errors import WrongInput
from mplskit.paths import data

# Bases that are not, or not only, a file of ours.
_BEGUN = {
    "defconfig": "The kernel's own default for this architecture.",
    "debian": "What Debian configures the same kernel with, less the debug information.",
    "running": "The configuration of the kernel that runs here, or on the node of --host.",
}
_SENTENCE = re.compile(r".*?[.](?=\s|$)", re.DOTALL)


@dataclass(frozen=True)
class Named:
    """An option set or a base: what it is in one sentence, and the settings of its file (None where it has none)."""

    name: str
    kind: str
    summary: str
    file: Path | None
    settings: tuple[Setting, ...]

    def as_json(self) -> dict[str, object]:
        """The set as `--json` shows it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "summary": self.summary,
            "file": str(self.file) if self.file else None,
            "settings": [
                {
                    "symbol": setting.symbol,
                    "value": setting.value,
                    "releases": ", ".join(setting.marks()),
                    "reason": setting.reason,
                }
                for setting in self.settings
            ],
        }


def option_sets() -> list[Named]:
    """Every option set of kconfig/options."""
    return [_named(name, "options") for name in known_names("options")]


def named_bases() -> list[Named]:
    """Every base that has a name."""
    return [_named(name, "bases") for name in bases()]


def find_named(name: str) -> Named:
    """The option set or base of this name. Raises WrongInput with the names there are."""
    everything = [*option_sets(), *named_bases()]
    for found in everything:
        if found.name == name:
            return found
    raise WrongInput(
        f"{name}: neither an option set nor a base", hint=choose(name, [found.name for found in everything])
    )


def summary(text: str) -> str:
    """The first sentence of a file's first comment."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.strip("# "))
    comment = " ".join(lines)
    sentence = _SENTENCE.match(comment)
    return sentence[0] if sentence else comment


def _named(name: str, folder: str) -> Named:
    file = data("kconfig") / folder / f"{name}.config"
    kind = "option set" if folder == "options" else "base"
    if not file.exists():
        return Named(name, kind, _BEGUN[name], None, ())
    said = _BEGUN[name] if kind == "base" and name in STARTS else summary(file.read_text())
    return Named(name, kind, said, file, tuple(read_fragment(file, f"{folder}/{name}.config")))
