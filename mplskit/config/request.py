"""What is asked of a configuration: a base, named option sets, fragments and single settings, the last one winning."""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mplskit.config import architecture
from mplskit.config.configfile import config_in
from mplskit.config.dotconfig import quoted
from mplskit.config.fragment import VALUE, Setting, read_fragment
from mplskit.errors import WrongInput
from mplskit.paths import data
from mplskit.remote.host import Host

ALWAYS = "mpls"
# What people call the symbols.
FRIENDLY = {
    "MPLS_GSO": "NET_MPLS_GSO",
    "MPLS_ROUTER": "MPLS_ROUTING",
    "MPLS_LWTUNNEL": "LWTUNNEL",
}
_SET = re.compile(r"([A-Za-z0-9_-]+)=(.+)")


class Start(StrEnum):
    """What a configuration is begun with."""

    NOTHING = "allnoconfig"
    DEFCONFIG = "defconfig"
    DEBIAN = "debian"
    RUNNING = "running"
    FILE = "file"


# Bases that are more than a fragment over nothing; kconfig/bases may hold a fragment over each of them, too.
STARTS = {str(start): start for start in (Start.DEFCONFIG, Start.DEBIAN, Start.RUNNING)}


@dataclass(frozen=True)
class Base:
    """Where a configuration starts, under the name that the user knows it by.

    `fragment` is applied over the start; `file` is that of Start.FILE, `text` the configuration in it; `host` is the
    node of Start.RUNNING (None is this machine).
    """

    name: str
    start: Start
    fragment: Path | None = None
    file: Path | None = None
    text: str = ""
    host: Host | None = None


@dataclass(frozen=True)
class Request:
    """A base and the settings asked on top of it, one for each symbol and span of releases.

    `trim_to` is a node, or a file as lsmod prints it: other modules than those that are in use there are left out of
    the base. With `fix`, what is lost and can be mended in one way only is mended.
    """

    base: Base
    settings: tuple[Setting, ...]
    trim_to: Host | Path | None = None
    fix: bool = False


def known(kind: str) -> list[str]:
    """The names in `kconfig/options` or `kconfig/bases`."""
    return sorted(path.stem for path in (data("kconfig") / kind).glob("*.config"))


def make_request(
    base: str,
    options: Sequence[str] = (),
    fragments: Sequence[str] = (),
    settings: Sequence[str] = (),
    *,
    host: str = "",
    trim_to: str = "",
    ssh_config: str = "",
    fix: bool = False,
) -> Request:
    """Put together what the command line asks; `mpls` is always in. Raises WrongInput before any work is done."""
    config = Path(ssh_config) if ssh_config else None
    if config and not host and not trim_to:
        raise WrongInput(f"--ssh-config {config}: no node is asked", hint="it goes with --host or --trim-to")
    asked = [
        *(setting for name in dict.fromkeys([ALWAYS, *options]) for setting in _options(name)),
        *(setting for path in fragments for setting in read_fragment(Path(path))),
        *(parse_set(text) for text in settings),
    ]
    return Request(
        _base(base, Host.parse(host, config) if host else None), last_of_each(asked), _trim_to(trim_to, config), fix
    )


def last_of_each(settings: Iterable[Setting]) -> tuple[Setting, ...]:
    """One setting for each symbol and span of releases: the last. One for all releases stands alone for its symbol."""
    kept: dict[str, list[Setting]] = {}
    for setting in settings:
        # Taken out first: the last word comes last, since of the members of a choice the kernel takes the last.
        others = kept.pop(setting.symbol, [])
        others = others if setting.marks() else []
        span = (setting.since, setting.until)
        kept[setting.symbol] = [*(other for other in others if (other.since, other.until) != span), setting]
    return tuple(setting for spans in kept.values() for setting in spans)


def parse_set(text: str) -> Setting:
    """Parse `--set SYMBOL=VALUE`. Raises WrongInput with what is allowed."""
    found = _SET.fullmatch(text)
    if not found:
        raise WrongInput(
            f"--set {text!r}: not SYMBOL=VALUE", hint="for example: --set MPLS_ROUTING=y, --set NR_CPUS=64"
        )
    value = found[2] if re.fullmatch(VALUE, found[2]) else quoted(found[2])
    return Setting(symbol_name(found[1]), value, f"--set {text}")


def symbol_name(text: str) -> str:
    """The kernel's name of what a user calls `mpls-router`, `MPLS_GSO` or `CONFIG_MPLS`."""
    name = text.replace("-", "_")
    if name.removeprefix("CONFIG_").islower():
        name = name.upper()
    name = name.removeprefix("CONFIG_")
    return FRIENDLY.get(name, name)


def _options(name: str) -> list[Setting]:
    path = data("kconfig") / "options" / f"{name}.config"
    if name not in known("options"):
        raise WrongInput(f"--options {name}: no such option set", hint=choose(name, known("options")))
    return read_fragment(path, f"options/{name}.config")


def _base(name: str, host: Host | None) -> Base:
    if host and name != Start.RUNNING:
        raise WrongInput(f"--host {host}: only --base running takes a configuration from a node")
    fragment = data("kconfig") / "bases" / f"{name}.config"
    if name in known("bases") or name in STARTS:
        start = STARTS.get(name, Start.NOTHING)
        return Base(name, start, fragment if fragment.exists() else None, host=host)
    path = Path(name)
    if not path.is_file():
        raise WrongInput(
            f"--base {name}: neither a known base nor a file",
            hint=choose(name, bases()) + ", or a .config file",
        )
    return Base(str(path.absolute()), Start.FILE, file=path.absolute(), text=_base_text(name, path))


def _base_text(name: str, path: Path) -> str:
    found = config_in(path, f"--base {name}", "give a .config, a kernel or config.gz with one inside, or a known base")
    said = architecture.architecture_in(found.text)
    architecture.demand([said] if said else [], f"--base {name}")
    return found.text


def bases() -> list[str]:
    """The names that --base knows."""
    return sorted({*known("bases"), *STARTS})


def _trim_to(text: str, ssh_config: Path | None) -> Host | Path | None:
    if not text:
        return None
    path = Path(text)
    if path.is_file():
        return path.absolute()
    if "/" in text:
        raise WrongInput(f"--trim-to {text}: there is no such file", hint="give a node, or a file as lsmod prints it")
    return Host.parse(text, ssh_config)


def choose(name: str, names: list[str]) -> str:
    """A hint for a name that is not known: the closest, and all there are."""
    close = difflib.get_close_matches(name, names, 1)
    return (f"did you mean {close[0]}? " if close else "") + f"known: {', '.join(names)}"
