"""Where kernel.org's files are had from and how patiently: settings of the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from mplskit.errors import WrongInput


@dataclass(frozen=True)
class Network:
    """`mirror` has the layout of kernel.org's pub/linux; `timeout` and `wait` are seconds, `wait` is the first pause
    between two of at most `tries` attempts, and each further one is twice as long."""

    mirror: str = "https://cdn.kernel.org/pub/linux"
    releases: str = "https://www.kernel.org/releases.json"
    timeout: float = 30
    tries: int = 5
    wait: float = 2


def network(environment: Mapping[str, str] = os.environ) -> Network:
    """The settings that the environment makes. Raises WrongInput with what is allowed."""
    return Network(
        _address(environment, "MPLSKIT_KERNEL_MIRROR", Network.mirror).rstrip("/"),
        _address(environment, "MPLSKIT_KERNEL_RELEASES", Network.releases),
        _number(environment, "MPLSKIT_NETWORK_TIMEOUT", Network.timeout, 0.1, 3600),
        int(_number(environment, "MPLSKIT_NETWORK_TRIES", Network.tries, 1, 100, whole=True)),
        _number(environment, "MPLSKIT_NETWORK_WAIT", Network.wait, 0, 3600),
    )


def _address(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(name) or default
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or not text.isprintable() or " " in text:
        raise WrongInput(f"{name}={text}: not an address", hint=f"it begins with https:// (or http://), as {default}")
    return text


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
