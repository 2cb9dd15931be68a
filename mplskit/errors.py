"""How mplskit fails: one error type, one exit code for each kind of failure, and always a way on."""

from enum import IntEnum

from mplskit.address_logins import masked


class Exit(IntEnum):
    """The exit codes that users and CI systems may rely on."""

    OK = 0
    NOT_SO = 1
    WRONG_INPUT = 2
    MACHINE_LACKS = 3
    OUTSIDE_FAILED = 4
    BUILD_FAILED = 5


class Failure(Exception):
    """What a user is told: what failed, what came back, what to do next; no login of an address is among it.

    Raise one of the kinds below.
    """

    code = Exit.NOT_SO

    def __init__(self, message: str, *, detail: str = "", hint: str = "") -> None:
        self.message, self.detail, self.hint = masked(message), masked(detail), masked(hint)
        super().__init__(self.message)

    def __str__(self) -> str:
        lines = [f"error: {self.message}"]
        lines += [f"  | {line}" for line in self.detail.splitlines()]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class Leave(Exception):
    """A task ends with this code, and `message` is all that is left to say: a signal came, a difference was shown."""

    def __init__(self, code: int, message: str = "") -> None:
        self.code, self.message = code, message
        super().__init__(message)


class NotSo(Failure):
    """What was asked is not so: an option lost, a node not ready, a lab that failed."""

    code = Exit.NOT_SO


class WrongInput(Failure):
    """What the user gave cannot be right."""

    code = Exit.WRONG_INPUT


class MachineLacks(Failure):
    """This machine lacks a tool, space or a privilege."""

    code = Exit.MACHINE_LACKS


class OutsideFailed(Failure):
    """A host, mirror, archive or signature failed or cannot be trusted."""

    code = Exit.OUTSIDE_FAILED


class BuildFailed(Failure):
    """A build step failed."""

    code = Exit.BUILD_FAILED
