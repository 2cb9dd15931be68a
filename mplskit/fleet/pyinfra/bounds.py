"""What pyinfra cannot do on nodes, though our own sessions can."""

import os
from collections.abc import Sequence

from mplskit.errors import WrongInput
from mplskit.node.node import Node
from mplskit.remote.password import VARIABLE

NO_PASSWORD = (
    "let the login do without a password on the node (`visudo -f /etc/sudoers.d/mplskit`: USER ALL=(root) NOPASSWD: "
    "ALL), or use --engine ssh, which can give one"
)


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
