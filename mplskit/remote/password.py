"""The password of sudo: typed on a terminal, or taken from the environment; never an argument."""

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from getpass import getpass

from mplskit.errors import MachineLacks, WrongInput
from mplskit.remote.host import Host

VARIABLE = "MPLSKIT_BECOME_PASSWORD"


def become_password(ask: bool) -> str | None:
    """What sudo on the nodes wants: asked for once, on the terminal; otherwise that of the environment, if any.

    Raises MachineLacks when there is no terminal to ask on, WrongInput for a password of more than one line.
    """
    if ask and not sys.stdin.isatty():
        raise MachineLacks(
            "--ask-become-password needs a terminal to ask on", hint=f"without one, put it into {VARIABLE}"
        )
    try:
        password = getpass("password for sudo on the nodes: ") if ask else os.environ.get(VARIABLE)
    except UnicodeDecodeError:
        raise WrongInput("the password for sudo must be typed in the terminal's own encoding") from None
    if password is not None and ("\n" in password or "\0" in password):
        raise WrongInput("the password for sudo must be one line")
    return password


def may_ask(hosts: Iterable[Host], ask: bool) -> None:
    """Raises WrongInput when a password is to be asked for that no host wants."""
    if ask and not any(host.become == "sudo" for host in hosts):
        raise WrongInput(
            "--ask-become-password is for sudo, which no node of the run uses",
            hint="add --become sudo, or leave it out; doas takes a password from a terminal only",
        )


def with_password(hosts: Sequence[Host], ask: bool) -> tuple[Host, ...]:
    """The hosts, each where sudo makes the login root with the password for it: one for all."""
    if not any(host.become == "sudo" for host in hosts):
        return tuple(hosts)
    password = become_password(ask)
    return tuple(replace(host, password=password) if host.become == "sudo" else host for host in hosts)
