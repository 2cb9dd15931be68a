"""What is asked of a configuration: a base, named option sets, fragments and single settings, the last one winning."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit.config.fragment import VALUE, Setting, read_fragment
from mplskit.errors import WrongInput
from mplskit.paths import data

ALWAYS = "mpls"
# What people call the symbols.
FRIENDLY = {
    "MPLS_GSO": "NET_MPLS_GSO",
    "MPLS_ROUTER": "MPLS_ROUTING",
    "MPLS_LWTUNNEL": "LWTUNNEL",
}
_SET = re.compile(r"([A-Za-z0-9_-]+)=(.+)")


@dataclass(frozen=True)
class Base:
    """Where a configuration starts: a fragment over `allnoconfig` (`whole` false), or a whole `.config`."""

    name: str
    path: Path
    whole: bool


@dataclass(frozen=True)
class Request:
    """A base and the settings asked on top of it, one for each symbol."""

    base: Base
    settings: tuple[Setting, ...]


def known(kind: str) -> list[str]:
    """The names in `kconfig/options` or `kconfig/bases`."""
    return sorted(path.stem for path in (data("kconfig") / kind).glob("*.config"))


def make_request(base: str, options: Sequence[str], fragments: Sequence[str], settings: Sequence[str]) -> Request:
    """Put together what the command line asks; `mpls` is always in. Raises WrongInput before any work is done."""
    asked = [
        *(setting for name in dict.fromkeys([ALWAYS, *options]) for setting in _options(name)),
        *(setting for path in fragments for setting in read_fragment(Path(path))),
        *(parse_set(text) for text in settings),
    ]
    return Request(_base(base), last_of_each(asked))


def last_of_each(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """One setting for each symbol: the last."""
    return tuple({setting.symbol: setting for setting in settings}.values())


def parse_set(text: str) -> Setting:
    """Parse `--set SYMBOL=VALUE`. Raises WrongInput with what is allowed."""
    found = _SET.fullmatch(text)
    if not found:
        raise WrongInput(
            f"--set {text!r}: not SYMBOL=VALUE", hint="for example: --set MPLS_ROUTING=y, --set NR_CPUS=64"
        )
    value = found[2] if re.fullmatch(VALUE, found[2]) else _quoted(found[2])
    return Setting(symbol_name(found[1]), value, f"--set {text}")


def symbol_name(text: str) -> str:
    """The kernel's name of what a user calls `mpls-router`, `MPLS_GSO` or `CONFIG_MPLS`."""
    name = text.replace("-", "_")
    if name.removeprefix("CONFIG_").islower():
        name = name.upper()
    name = name.removeprefix("CONFIG_")
    return FRIENDLY.get(name, name)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _options(name: str) -> list[Setting]:
    path = data("kconfig") / "options" / f"{name}.config"
    if name not in known("options"):
        raise WrongInput(f"--options {name}: no such option set", hint=_choose(name, known("options")))
    return read_fragment(path, f"options/{name}.config")


def _base(name: str) -> Base:
    if name in known("bases"):
        return Base(name, data("kconfig") / "bases" / f"{name}.config", whole=False)
    path = Path(name)
    if not path.is_file():
        raise WrongInput(
            f"--base {name}: neither a known base nor a file",
            hint=_choose(name, known("bases")) + ", or a .config file",
        )
    read_fragment(path)
    return Base(str(path.absolute()), path.absolute(), whole=True)


def _choose(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 1)
    return (f"did you mean {close[0]}? " if close else "") + f"known: {', '.join(names)}"
