"""Where a node is reached: what the user wrote, and the ssh command that goes there."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from mplskit.errors import WrongInput
from mplskit.whole_number import whole

ALLOWED = "HOST, USER@HOST, HOST:PORT, [IPV6]:PORT, a bare IPv6 address, or a name from ssh_config"

Become = Literal["sudo", "doas"]
BECOME: Mapping[str, Become] = {way: way for way in get_args(Become)}

# Before anything of the user's ssh_config: a node is given nothing of the operator's, neither his agent, his display
# and his tickets nor a way back into his network.
APART = (
    *("ForwardAgent=no", "ForwardX11=no", "GSSAPIDelegateCredentials=no"),
    *("ClearAllForwardings=yes", "Tunnel=no", "PermitLocalCommand=no"),
)
# A session runs our command, on our pipes, and ssh says what is wrong and no more.
OURS = ("RemoteCommand=none", "SessionType=default", "StdinNull=no", "ForkAfterAuthentication=no", "LogLevel=INFO")
# Nothing asks, stays behind, or fails for a second session.
SETTINGS = (
    *("BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=15", "ServerAliveCountMax=4", "ControlMaster=no"),
    *OURS,
    *APART,
)

_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.-]*")
USER = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.@+-]{0,63}")
_IN_BRACKETS = re.compile(r"\[(?P<name>[^\[\]]*)\](?::(?P<port>.*))?")


@dataclass(frozen=True)
class Host:
    """A node as OpenSSH finds it; what is None is left to ssh_config.

    `become` is how the login there becomes root, `password` what sudo wants for it; `accept_new` takes a host key that
    is seen for the first time.
    """

    name: str
    user: str | None = None
    port: int | None = None
    ssh_config: Path | None = None
    become: Become | None = None
    accept_new: bool = False
    password: str | None = field(default=None, repr=False)

    @property
    def secret(self) -> bytes:
        """The password as sudo is told it; empty without one."""
        return os.fsencode(self.password or "")

    def without_secret(self, text: str) -> str:
        """What the node said, with the password made unreadable: for what is shown, not for what is read."""
        return text.replace(self.password, "********") if self.password else text

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name and self.port is not None else self.name
        user = f"{self.user}@" if self.user is not None else ""
        return user + name + (f":{self.port}" if self.port is not None else "")

    @classmethod
    def parse(cls, text: str) -> "Host":
        """Read `user@host:port`, an ssh_config name, `::1`, `[::1]:22`.

        Raises WrongInput with what is allowed.
        """
        before, at, place = text.rpartition("@")
        if at and not USER.fullmatch(before):
            raise _wrong(text, f"{before!r} is no user name")
        name, port = _split(text, place)
        return cls(name, before if at else None, port)

    def ssh(self, *options: str) -> list[str]:
        """The words of OpenSSH up to and including the destination: it never asks, and notices a dead link.

        A master connection that the user has open is used (ControlPath), and none is left behind. Host keys are checked
        as ssh_config says.
        """
        words = ["ssh", "-T"]
        if self.ssh_config is not None:
            words += ["-F", str(self.ssh_config)]
        for setting in (*SETTINGS, *(("StrictHostKeyChecking=accept-new",) if self.accept_new else ())):
            words += ["-o", setting]
        if self.user is not None:
            words += ["-l", self.user]
        if self.port is not None:
            words += ["-p", str(self.port)]
        return [*words, *options, "--", self.name]


def _split(text: str, place: str) -> tuple[str, int | None]:
    bracketed = _IN_BRACKETS.fullmatch(place)
    if bracketed:
        port = bracketed["port"]
        return _address(text, bracketed["name"]), None if port is None else _port(text, port)
    if place.count(":") > 1:
        return _address(text, place), None
    name, colon, port = place.partition(":")
    if not _NAME.fullmatch(name):
        raise _wrong(text, f"{name!r} is no host name")
    return name, _port(text, port) if colon else None


def _address(text: str, name: str) -> str:
    zone = name.partition("%")[2]
    try:
        ipaddress.IPv6Address(name)
    except ValueError:
        raise _wrong(text, f"{name!r} is no IPv6 address") from None
    if "%" in name and not _NAME.fullmatch(zone):
        raise _wrong(text, f"{zone!r} is no interface")
    return name


def _port(text: str, port: str) -> int:
    number = whole(port, 1, 65535)
    if number is None:
        raise _wrong(text, f"{port!r} is no port from 1 to 65535")
    return number


def _wrong(text: str, why: str) -> WrongInput:
    return WrongInput(f"host {text!r}: {why}", hint=f"allowed: {ALLOWED}")
