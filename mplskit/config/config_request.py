"""What is asked of a configuration: a base, named option sets, fragments and single settings, the last one winning."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from mplskit.config import architecture
from mplskit.config.configfile import config_in
from mplskit.config.dotconfig import quoted
from mplskit.config.flags import ConfigFlags
from mplskit.config.fragment import VALUE, Setting, read_fragment
from mplskit.errors import WrongInput
from mplskit.paths import data
from mplskit.remote.flags import AS_SSH_CONFIG_SAYS, SessionFlags
from mplskit.remote.host import Host
from mplskit.remote.reach import session_hosts
from mplskit.wording import did_you_mean

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


def known_names(kind: str) -> list[str]:
    """The names in `kconfig/options` or `kconfig/bases`."""
    return sorted(path.stem for path in (data("kconfig") / kind).glob("*.config"))


def make_request(flags: ConfigFlags, session: SessionFlags = AS_SSH_CONFIG_SAYS) -> Request:
    """Put together what the command line asks; `mpls` is always in.

    Raises WrongInput before any work is done, MachineLacks when a password cannot be asked for.
    """
    asked = [
        *(setting for name in dict.fromkeys([ALWAYS, *flags.options]) for setting in _options(name)),
        *(setting for path in flags.fragment for setting in read_fragment(Path(path))),
        *(parse_set(text) for text in flags.set_),
    ]
    base, modules = _base(flags.base, flags.host), _module_list(flags.trim_to)
    names = [name for name in (flags.host, "" if modules else flags.trim_to) if name]
    hosts = dict(zip(names, session_hosts(names, session, "--host or --trim-to"), strict=True))
    return Request(
        replace(base, host=hosts.get(flags.host)), last_of_each(asked), modules or hosts.get(flags.trim_to), flags.fix
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
    if name not in known_names("options"):
        raise WrongInput(f"--options {name}: no such option set", hint=choose(name, known_names("options")))
    return read_fragment(path, f"options/{name}.config")


def _base(name: str, host: str) -> Base:
    if host and name != Start.RUNNING:
        raise WrongInput(f"--host {host}: only --base running takes a configuration from a node")
    fragment = data("kconfig") / "bases" / f"{name}.config"
    if name in known_names("bases") or name in STARTS:
        start = STARTS.get(name, Start.NOTHING)
        return Base(name, start, fragment if fragment.exists() else None)
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
    return sorted({*known_names("bases"), *STARTS})


def _module_list(trim_to: str) -> Path | None:
    """The file that --trim-to names; None for a node."""
    path = Path(trim_to)
    if trim_to and path.is_file():
        return path.absolute()
    if "/" in trim_to:
        raise WrongInput(
            f"--trim-to {trim_to}: there is no such file", hint="give a node, or a file as lsmod prints it"
        )
    return None


def choose(name: str, names: list[str]) -> str:
    """A hint for a name that is not known: the closest, and all there are."""
    return f"{did_you_mean(name, names)} known: {', '.join(names)}".lstrip()
