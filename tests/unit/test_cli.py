import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program

from mplskit import cli
from mplskit.errors import BuildFailed, Failure, MachineLacks, NotSo, OutsideFailed, WrongInput
from mplskit.flag_groups import flag
from mplskit.whole_number import whole_number

ROOT = Path(__file__).parents[2]

Answer = tuple[int, str, str]
Invoke = Callable[..., Answer]


@pytest.fixture
def invoke(capsys: pytest.CaptureFixture[str]) -> Invoke:
    """Run a task `do` whose body is given; returns exit code, stdout and stderr."""

    def run(body: Callable[[], None], *words: str) -> Answer:
        @cli.task(help={"json": "print one JSON document"})
        def do(c: Context, json: bool = False) -> None:
            """Do it."""
            body()

        with pytest.raises(SystemExit) as left:
            Program(namespace=Collection(do)).run(["mplskit", *words, "do"])
            raise SystemExit(0)
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def raises(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("kind", "code"), [(NotSo, 1), (WrongInput, 2), (MachineLacks, 3), (OutsideFailed, 4), (BuildFailed, 5)]
)
def test_each_kind_of_failure_leaves_with_its_code_and_no_traceback(
    invoke: Invoke, kind: type[Failure], code: int
) -> None:
    answer = invoke(raises(kind("no", detail="it said no", hint="say yes")))
    assert answer == (code, "", "mplskit: error: no\n  | it said no\nhint: say yes\n")


@pytest.mark.parametrize("words", [[], ["-d"]])
def test_debug_shows_where_a_failure_came_from_and_nothing_else_does(words: list[str]) -> None:
    argv = [sys.executable, "-c", "from mplskit.tasks import program; program.run()", *words]
    done = subprocess.run(
        [*argv, "kernel.build", "--revision", "mpls1"], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert ("Traceback (most recent call last)" in done.stderr) is bool(words)
    assert ('kernel/package_naming.py", line' in done.stderr) is bool(words)
    assert "mplskit: error: --revision 'mpls1': not a version that both builders take\n" in done.stderr


def test_a_task_that_ends_well_leaves_with_0(invoke: Invoke) -> None:
    assert invoke(lambda: print("done")) == (0, "done\n", "")


def test_a_fault_of_our_own_is_called_so_without_a_traceback(invoke: Invoke) -> None:
    code, out, err = invoke(raises(KeyError("label")))
    assert (code, out) == (1, "")
    assert err == "mplskit: error: an unforeseen KeyError\nhint: this is a fault of mplskit; -d shows where\n"


def test_a_full_disk_is_something_that_this_machine_lacks(invoke: Invoke) -> None:
    code, _, err = invoke(raises(OSError(errno.ENOSPC, "No space left on device", "/build/x")))
    assert code == 3
    assert err.startswith("mplskit: error: the disk is full: /build/x\nhint: free some space, or point MPLSKIT_BUILD")


def test_a_missing_permission_is_something_that_this_machine_lacks(invoke: Invoke) -> None:
    code, _, err = invoke(raises(PermissionError(errno.EACCES, "Permission denied", "/dist")))
    assert (code, err) == (
        3,
        "mplskit: error: no permission: /dist\nhint: run as the owner of that path, or as root\n",
    )


def test_an_interrupt_at_the_keyboard_leaves_with_130(invoke: Invoke) -> None:
    assert invoke(raises(KeyboardInterrupt())) == (130, "", "mplskit: interrupted\n")


@pytest.mark.parametrize(("number", "name"), [(signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")])
def test_a_signal_leaves_with_its_code_and_what_was_begun_is_cleaned_up(
    invoke: Invoke, number: signal.Signals, name: str
) -> None:
    cleaned = []

    def body() -> None:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            cleaned.append(True)

    assert invoke(body) == (128 + number, "", f"mplskit: ended by {name}\n")
    assert cleaned == [True]


@pytest.mark.parametrize("text", ["0", "1025", "-1", "", "two", "1.5"])
def test_a_number_out_of_range_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(WrongInput) as refused:
        whole_number(text, "--jobs", 1, 1024)
    assert refused.value.message == f"--jobs {text}: not a whole number from 1 to 1024"


@pytest.mark.parametrize("value", [1, 1024])
def test_a_number_in_range_is_taken(value: int) -> None:
    assert whole_number(str(value), "--jobs", 1, 1024) == value


@dataclass(frozen=True)
class Origin:
    source: str = flag("where from", "debian")
    set_: tuple[str, ...] = flag("a setting", ())
    fix_it: bool = flag("mend it", False)


@pytest.fixture
def program() -> Program:
    @cli.task(help={"word": "one word"}, positional=["word"])
    def do(c: Context, word: str, origin: Origin, other: tuple[str, ...] = (), json: bool = False) -> None:
        """Do it."""
        print(word, origin, other, json)

    return Program(namespace=Collection(do))


def test_a_dataclass_of_flags_becomes_flags_with_their_help(
    program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program.run(["mplskit", "--help", "do"], exit=False)
    told = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert {"--source=STRING where from", "--set a setting", "--fix-it mend it"} <= set(lines)
    assert {"--word=STRING one word", "--json print one JSON document"} <= set(lines)


def test_a_dataclass_of_flags_comes_filled(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    program.run(["mplskit", "do", "w", "--set", "A=y", "--fix-it", "--set", "B=n", "--json"], exit=False)
    assert capsys.readouterr().out == f"w {Origin('debian', ('A=y', 'B=n'), True)} () True\n"


def test_what_is_left_out_is_as_the_dataclass_says(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        program.run(["mplskit", "do", "--word", "w", "--other", "x"], exit=False)
        assert capsys.readouterr().out == f"w {Origin()} ('x',) False\n"


def test_two_groups_with_one_flag_are_a_fault_that_shows_at_once() -> None:
    def do(c: Context, one: Origin, two: Origin) -> None:
        """Do it."""

    with pytest.raises(ValueError, match="duplicate parameter name"):
        cli.task()(do)
