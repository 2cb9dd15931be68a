"""A testinfra backend: the node is asked through a session that another process of ours holds open.

`--hosts=mplskit://FD`, FD being a socket of `questions` that was inherited.
"""

import socket

from testinfra.backend import BACKENDS
from testinfra.backend.base import BaseBackend, CommandResult

from mplskit.node.verify.questions import ask

NAME = "mplskit"


class SessionBackend(BaseBackend):  # type: ignore[misc] # testinfra has no types
    """Asks over the inherited socket. Made by testinfra, for each file of checks."""

    NAME = NAME

    def __init__(self, number: str, *args: object, **kwargs: object) -> None:
        super().__init__(number, *args, **kwargs)

    def run(self, command: str, *args: str, **kwargs: object) -> CommandResult:
        """Run a command on the node, as testinfra's backends do."""
        text = self.get_command(command, *args)
        with socket.socket(fileno=int(self.hostname)) as theirs:
            try:
                said = ask(theirs, text)
            finally:
                theirs.detach()
        return self.result(said.status, text.encode(), said.stdout, said.stderr)


def register() -> None:
    """Make the backend known to testinfra."""
    BACKENDS[NAME] = f"{__name__}.SessionBackend"
