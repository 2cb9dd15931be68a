"""Where kernel.org's files are had from and how patiently: settings of the environment."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from mplskit.errors import WrongInput

# In what is meant as an address, and may be none.
_LOGIN = re.compile(r"^((?:[^/@]*:/+)?).*@", re.DOTALL)


@dataclass(frozen=True)
class Network:
    """`mirror` has the layout of kernel.org's pub/linux; `timeout` and `wait` are seconds, `wait` is the first pause
    between two of at most `tries` attempts, and each further one is twice as long. `logins` are the names and passwords
    by host and port, which are in no address: those are shown and written down."""

    mirror: str = "https://cdn.kernel.org/pub/linux"
    releases: str = "https://www.kernel.org/releases.json"
    timeout: float = 30
    tries: int = 5
    wait: float = 2
    logins: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)

    def login(self, url: str) -> tuple[str, str] | None:
        """Name and password for an address, if the user gave some."""
        return self.logins.get(urlsplit(url).netloc)


def network(environment: Mapping[str, str] = os.environ) -> Network:
    """The settings that the environment makes. Raises WrongInput with what is allowed."""
    logins: dict[str, tuple[str, str]] = {}
    return Network(
        _address(environment, "MPLSKIT_KERNEL_MIRROR", Network.mirror, logins).rstrip("/"),
        _address(environment, "MPLSKIT_KERNEL_RELEASES", Network.releases, logins),
        _number(environment, "MPLSKIT_NETWORK_TIMEOUT", Network.timeout, 0.1, 3600),
        int(_number(environment, "MPLSKIT_NETWORK_TRIES", Network.tries, 1, 100, whole=True)),
        _number(environment, "MPLSKIT_NETWORK_WAIT", Network.wait, 0, 3600),
        logins,
    )


def _address(environment: Mapping[str, str], name: str, default: str, logins: dict[str, tuple[str, str]]) -> str:
    """An address without its name and password, which go to `logins`."""
    text = environment.get(name) or default
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or not text.isprintable() or " " in text:
        shown = _LOGIN.sub(r"\1********@", text)
        raise WrongInput(f"{name}={shown}: not an address", hint=f"it begins with https:// (or http://), as {default}")
    login, at, place = parts.netloc.rpartition("@")
    if at:
        user, _, password = login.partition(":")
        logins[place] = (unquote(user), unquote(password))
    return parts._replace(netloc=place).geturl()


def _number(
    environment: Mapping[str, str], name: str, default: float, lowest: float, highest: float, *, whole: bool = False
) -> float:
    text = environment.get(name)
    if not text:
        return default
    try:
        value = float(int(text) if whole else text)
    except ValueError:
        value = highest + 1
    # A NaN is in no range.
    if not lowest <= value <= highest:
        what = "a whole number" if whole else "seconds"
        raise WrongInput(f"{name}={text}: allowed: {what} from {lowest:g} to {highest:g}")
    return value
