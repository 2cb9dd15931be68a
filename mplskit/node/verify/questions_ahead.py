"""Asks a node many questions in one: a round trip and a shell for each would take most of the time of a look."""

import secrets
import shlex
from contextlib import suppress
from functools import cached_property

import pytest
from testinfra.host import Host

from mplskit.node.verify.questions import Said
from mplskit.remote.login import Login, for_any_shell

# What comes after the stdout of each command: the mark, its status and stderr, and the mark again.
ASK = """\
ask() {
    { said=$(sh -c "$1" 2>&1 >&3 3>&-); } 3>&1
    printf '%s%s\\n%s%s' MARK $? "$said" MARK
}
"""
# A question can need the answers to others: a file's name that of the kernel, say.
ROUNDS = 3


class _Noted(BaseException):
    """A question was noted, to be asked with others; nobody who looks at answers may take this for one."""


class Ahead:
    """A node for `facts.Facts`: what was asked for ahead is known, everything else is asked when it is asked for."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._known: dict[str, Said] = {}
        self._noted: dict[str, None] | None = None

    def run(self, script: str) -> Said:
        """How a script of `sh` ended on the node."""
        if script in self._known:
            return self._known[script]
        if self._noted is not None:
            self._noted[script] = None
            raise _Noted
        return self._asked(script)

    def ask_for(self, facts: object, *but: str) -> None:
        """Ask for all cached properties of `facts`, which asks through this, except for those named in `but`."""
        names = [name for name, part in vars(type(facts)).items() if isinstance(part, cached_property)]
        for _ in range(ROUNDS):
            self._noted = {}
            for name in names:
                # What goes wrong is for the check that needs it, and comes again there.
                with suppress(_Noted, Exception, pytest.skip.Exception):
                    if name not in but:
                        getattr(facts, name)
            noted, self._noted = list(self._noted), None
            if not noted:
                return
            self._ask(noted)

    def _ask(self, scripts: list[str]) -> None:
        mark = secrets.token_hex(16)
        asked = "".join(f"ask {shlex.quote(script)}\n" for script in scripts)
        parts = self._asked(ASK.replace("MARK", mark) + asked).stdout.split(mark)
        for script, stdout, rest in zip(scripts, parts[::2], parts[1::2], strict=False):
            status, _, stderr = rest.partition("\n")
            if status.isdecimal():
                self._known[script] = Said(int(status), stdout, stderr)

    def _asked(self, script: str) -> Said:
        login = Login()
        answer = self._host.run(for_any_shell(login.begin + script))
        return Said(answer.rc, login.after(answer.stdout), login.after(answer.stderr))
