"""How a login that is not root's becomes root: sudo or doas, the password through the session's stdin alone."""

import secrets
import shlex
import time

from mplskit.errors import MachineLacks
from mplskit.remote.host import Host
from mplskit.remote.pipes import Pipes, TimeIsUp
from mplskit.remote.refusals import become_refused, password_refused

# Longer than ConnectTimeout, and than PAM's wait after a wrong password.
PATIENCE = 90.0

# $1 is the command for root. A login that is root's already needs neither tool.
WAYS = {
    "sudo": 'exec sudo -n -- sh -c "$1"',
    "sudo with a password": 'exec sudo -S -p "$2$3" -- sh -c "$1"',
    "doas": 'exec doas -n sh -c "$1"',
}
# Root begins with what it is told to begin with: a line that came before, a password that nobody asked for, is lost.
ROOT = """\
printf 'root-%s\\n' {token}
mplskit=
until [ "$mplskit" = begin-{token} ]; do IFS= read -r mplskit || exit 1; done
unset mplskit
LC_ALL=C.UTF-8
export LC_ALL
{command}"""
WAY = '[ "$(id -u)" -ne 0 ] || exec sh -c "$1"; {way}'


class Becoming:
    """One attempt to run a command as root on `host`: how, and what is said and answered meanwhile."""

    def __init__(self, host: Host, command: str) -> None:
        token = secrets.token_hex(16)
        self._host = host
        self._root, self._begin = f"root-{token}\n".encode(), f"begin-{token}\n".encode()
        # In two words, which are one on the node alone: whoever shows the command does not show the prompt.
        self._prompt = ("password-", token)
        self._script = ROOT.format(token=token, command=command)

    @property
    def command(self) -> str:
        """What `sh` gets, as the login. No password is in it."""
        way = "sudo with a password" if self._host.become == "sudo" and self._host.password is not None else "sudo"
        way = WAYS["doas" if self._host.become == "doas" else way]
        return shlex.join(["exec", "sh", "-c", WAY.format(way=way), "sh", self._script, *self._prompt])

    def reach(self, pipes: Pipes) -> bool:
        """Answer the prompt, if there is one, and wait until root says that it is there; False when the session ends.

        Raises MachineLacks when the password is not taken, after one try, or when nothing comes.
        """
        deadline = time.monotonic() + PATIENCE
        heard = b""

        def reached(data: bytes) -> bool:
            nonlocal heard
            heard += data
            if self._root in heard:
                return True
            heard = heard[-len(self._root) :]
            return False

        def asked() -> bool:
            return pipes.awaits(prompt)

        prompt, told = "".join(self._prompt).encode(), False
        try:
            pipes.exchange(iter(()), reached, close=False, deadline=deadline, told=asked)
            if self._root not in heard and asked() and self._host.password is not None:
                told = True
                pipes.forget_stderr()
                line = self._host.secret + b"\n"
                pipes.exchange(iter([line]), reached, close=False, deadline=deadline, told=asked)
        except TimeIsUp:
            raise MachineLacks(
                f"{self._host}: {self._host.become} did not make us root within {PATIENCE:g} s",
                detail=self._said(pipes),
                hint="it waits for something that is not a password: log in by hand and try `sudo true` there",
            ) from None
        if self._root not in heard:
            if told and asked():
                raise password_refused(self._host)
            return False
        pipes.unread(heard.partition(self._root)[2])
        pipes.forget_stderr()
        pipes.tell(self._begin)
        return True

    def refused(self, pipes: Pipes) -> MachineLacks:
        """The error for a sudo or doas that ended instead."""
        return become_refused(self._host, self._said(pipes))

    def _said(self, pipes: Pipes) -> str:
        text = pipes.stderr.rpartition("".join(self._prompt))[2].replace(self._script, "…")
        return "\n".join(line for line in text.splitlines() if line.strip())
