"""How our words are told from those of a login: its shell (any shell) starts `sh`, which begins with a mark.

A start-up file, a banner, a locale that is missing: all of that is said before the mark, and is none of ours.
"""

import secrets

# Nothing in it means anything to csh or fish that it does not mean to sh: they have other rules for what is quoted.
ANY_SHELL = """exec sh -c 'eval "$(printf %b "$1")"' sh '{}'"""
BEGIN = "printf '%s\\n' {mark}; printf '%s\\n' {mark} >&2; LC_ALL=C.UTF-8; export LC_ALL\n"
# Of what comes before the mark, in bytes.
KEPT = 1 << 16


def for_any_shell(script: str) -> str:
    """The command with which a shell, whichever it is, has `sh` run a script."""
    return ANY_SHELL.format("".join(map(_escaped, script)))


def _escaped(letter: str) -> str:
    if letter.isascii() and letter.isprintable() and letter not in "!'\\":
        return letter
    return "".join(f"\\0{byte:03o}" for byte in letter.encode())


class Login:
    """One login. `begin` is what our script begins with there, `mark` what that says, on stdout and on stderr."""

    def __init__(self) -> None:
        mark = secrets.token_hex(16)
        self.begin = BEGIN.format(mark=mark)
        self.mark = f"{mark}\n".encode()
        self._through = False
        self._before = b""

    def skip(self) -> None:
        """What comes from now on is ours."""
        self._through, self._before = True, b""

    def ours(self, data: bytes) -> bytes:
        """What of a piece of stdout comes after the mark."""
        if self._through:
            return data
        before, mark, after = (self._before + data).partition(self.mark)
        if mark:
            self.skip()
            return after
        self._before = before[-KEPT:]
        return b""

    def after(self, text: str) -> str:
        """What of a whole text comes after the mark; all of it where there is none."""
        return text.rpartition(self.mark.decode().rstrip("\n"))[2].removeprefix("\n")

    def rest(self) -> bytes:
        """The last of what came when no mark ever did: something else than our script was run."""
        before, self._before = self._before, b""
        return before
