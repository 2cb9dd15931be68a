"""What carries the payload: our own sessions, or pyinfra."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mplskit.errors import WrongInput
from mplskit.node.node import Node
from mplskit.remote.password import VARIABLE
from mplskit.specfile import no_such

if TYPE_CHECKING:
    from mplskit.node.engine.batch import Judge
    from mplskit.node.fleet.fleet import Engine
    from mplskit.node.formats.pyinfra import Carried

ENGINES = ("ssh", "pyinfra")
NO_PASSWORD = (
    "let the login do without a password on the node (`visudo -f /etc/sudoers.d/mplskit`: USER ALL=(root) NOPASSWD: "
    "ALL), or use --engine ssh, which can give one"
)


def engine_of(word: str, carried: "Carried", judge: "Judge") -> "Engine | None":
    """What stands in for our own sessions; `judge` says what a report comes to. None: nothing does.

    Raises WrongInput for an unknown engine, MachineLacks for one that is not installed.
    """
    if word not in ENGINES:
        raise WrongInput(f"--engine: {no_such('engine', word, ENGINES)}")
    if word == "ssh":
        return None
    from mplskit.node.engine.pyinfra import engine

    return engine(carried, judge)


def check_pyinfra(nodes: Sequence[Node], *, timeout: str, ask_become_password: bool) -> None:
    """Raises WrongInput for what pyinfra cannot do on these nodes."""
    if timeout:
        raise WrongInput(
            "--timeout is for --engine ssh: pyinfra bounds commands, not nodes",
            hint="leave it out, or use --engine ssh",
        )
    why = "pyinfra puts a password for sudo into a command line on the node, where everybody there can read it"
    if ask_become_password:
        raise WrongInput(f"--ask-become-password is for --engine ssh: {why}", hint=NO_PASSWORD)
    if os.environ.get(VARIABLE) is not None and any(node.host.become == "sudo" for node in nodes):
        raise WrongInput(f"{VARIABLE} is for --engine ssh: {why}", hint=f"unset it, and {NO_PASSWORD}")
