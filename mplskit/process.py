"""The one place that starts processes: argument lists only, logs whole, failures quoted, children ended with us."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NoReturn

from mplskit import process_group
from mplskit.address_logins import masked
from mplskit.errors import BuildFailed, Failure, MachineLacks
from mplskit.files import ROOM

Argument = str | Path

TAIL_LINES = 15
# How far from the end of a log a full disk is looked for: what else ran in parallel wrote below it.
LOOKED_AT = 1 << 16
GRACE = 5.0
# Environment variables that no process of ours is given: passwords.
FOR_US_ALONE = ("MPLSKIT_BECOME_PASSWORD",)
NO_SPACE = os.strerror(28)
# What setpriv, through which all is started, exits with and says where the kernel refuses to run a program.
NOT_STARTED, SETPRIV = (126, 127), "setpriv: failed to execute"


@dataclass(frozen=True)
class Finished:
    """How a command ended. `stdout` and `stderr` are empty when they went to a log."""

    argv: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str
    seconds: float


def quote(argv: Sequence[Argument]) -> str:
    """The command as a user can paste it into a shell."""
    return shlex.join(str(word) for word in argv)


# PYTHONPATH would split a path at its colons.
_MODULE = "import runpy, sys; path, name = sys.argv.pop(1), sys.argv.pop(1); sys.path.insert(0, path); \
runpy.run_module(name, run_name='__main__', alter_sys=True)"


def module(name: str, *words: Argument) -> list[Argument]:
    """The command that runs a module of this mplskit, wherever it lies."""
    return [sys.executable, "-c", _MODULE, Path(__file__).resolve().parents[1], name, *words]


def require(*programs: str, package: str) -> None:
    """Raise MachineLacks unless every program is on the PATH (or in /usr/sbin, /sbin)."""
    absent = [name for name in programs if find(name) is None]
    if absent:
        unusable = [lacks(name) for name in absent if _lies(name)]
        if unusable:
            raise unusable[0]
        raise MachineLacks(
            f"this machine lacks {', '.join(absent)}",
            hint=f"apt-get install {package} (./run does it for the task that you ask for)",
        )


def find(program: str) -> str | None:
    """The path of a program, looking where root's tools are too."""
    return shutil.which(program, path=_environment({})["PATH"])


def lacks(program: str) -> MachineLacks:
    """What to say of a program that cannot be started: that it is not there, or why it cannot be run where it is."""
    lies = _lies(program)
    if lies is None:
        return MachineLacks(f"this machine lacks {program}", hint="./run doctor names the package")
    if os.statvfs(lies).f_flag & os.ST_NOEXEC:
        return MachineLacks(
            f"{lies} is there and cannot be run: its file system is mounted noexec",
            hint="what is to be run needs a file system without noexec: TMPDIR and MPLSKIT_BUILD say where that is",
        )
    return MachineLacks(
        f"{lies} is there and cannot be run: {'no permission' if lies.is_file() else 'it is no file'}",
        hint=f"ls -ld {shlex.quote(str(lies))}; chmod +x makes a program of a file",
    )


def _lies(program: str) -> Path | None:
    """Where a program that cannot be run lies all the same."""
    folders = [""] if "/" in program else _environment({})["PATH"].split(":")
    found = (Path(folder, program) for folder in folders)
    return next((path for path in found if path.exists() and (path.is_dir() or not os.access(path, os.X_OK))), None)


def require_root(what: str) -> None:
    """Raise MachineLacks unless we are root."""
    if os.geteuid() != 0:
        raise MachineLacks(f"{what} needs root", hint="run the same command as root, or through sudo")


@contextmanager
def started(
    argv: Sequence[Argument],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.PIPE,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    pass_fds: Sequence[int] = (),
    death_signal: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a command in a process group of its own; when the block is left, the whole group has ended.

    The kernel sends `death_signal` to the child, too, when we are killed without a chance to end it (`setpriv
    --pdeathsig`). It counts the thread that started the child as its parent (prctl(2)): a thread must not end before
    this block does.
    Raises MachineLacks when there is no such program, or it cannot be run.
    """
    words = [str(word) for word in argv]
    environment = _environment(env or {})
    if shutil.which(words[0], path=environment["PATH"]) is None:
        raise lacks(words[0])
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", death_signal.name, *words],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
        env=environment,
        process_group=0,
        pass_fds=pass_fds,
    )
    try:
        with process_group.current().holding(process):
            yield process
    finally:
        _end(process)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass


def run(
    argv: Sequence[Argument],
    *,
    log: Path | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: bytes | None = None,
    stdout: IO[bytes] | None = None,
    timeout: float | None = None,
    check: bool = True,
    failure: type[Failure] = BuildFailed,
    hint: str = "",
    death_signal: signal.Signals = signal.SIGTERM,
) -> Finished:
    """Run a command to its end. With `log`, its output is appended there as it comes, below the quoted command.

    With `stdout`, an open file, that gets the output. The command gets `death_signal` when we are killed ourselves.

    Raises `failure` with the command and the end of its output when it exits other than 0 and `check` is set, or when
    it takes longer than `timeout` seconds; MachineLacks when the program is missing or the disk is full.
    """
    begin = time.monotonic()
    start = 0
    feed = subprocess.PIPE if stdin is not None else subprocess.DEVNULL
    try:
        if log is None:
            to = subprocess.PIPE if stdout is None else stdout
            with started(argv, cwd=cwd, env=env, stdin=feed, stdout=to, death_signal=death_signal) as process:
                out, err = process.communicate(stdin, timeout=timeout)
        else:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("ab") as file:
                file.write(f"$ {masked(quote(argv))}\n".encode())
                file.flush()
                start = file.tell()
                with started(
                    argv, cwd=cwd, env=env, stdin=feed, stdout=file, stderr=file, death_signal=death_signal
                ) as process:
                    process.communicate(stdin, timeout=timeout)
                out, err = b"", b""
    except subprocess.TimeoutExpired as late:
        said = _logged(log, start) if log else (late.stderr or late.output or b"").decode(errors="replace")
        raise failure(
            f"no end after {timeout:g} s: {quote(argv)}", detail=_last_lines(said), hint=hint or _see(log)
        ) from None
    result = Finished(
        tuple(str(word) for word in argv),
        process.returncode,
        (out or b"").decode(errors="replace"),
        err.decode(errors="replace"),
        time.monotonic() - begin,
    )
    if check and result.returncode != 0:
        said = _logged(log, start) if log else result.stderr or result.stdout
        raise _failed(result, said, cwd or Path.cwd(), failure, hint or _see(log))
    return result


def show(argv: Sequence[Argument], *, cwd: Path | None = None) -> int:
    """Run a command whose output is for the user, as it comes; returns its exit status."""
    with started(argv, cwd=cwd, stdout=None, stderr=None) as process:
        return process.wait()


def detached(argv: Sequence[Argument], log: Path, stdin: bytes) -> "subprocess.Popen[bytes]":
    """Start a command that goes on when we end, in a session of its own; its output goes to `log`, which is new.

    `stdin` fits into a pipe (64 KiB); nobody else reads what is in it.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    with log.open("wb") as file, os.fdopen(reader, "rb") as feed:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(stdin)
        return subprocess.Popen(
            [str(word) for word in argv],
            stdin=feed,
            stdout=file,
            stderr=file,
            env=_environment({}),
            start_new_session=True,
        )


def become(argv: Sequence[Argument]) -> NoReturn:
    """Go on as another command, on the same terminal. Raises MachineLacks when there is no such program."""
    words, environment = [str(word) for word in argv], _environment({})
    program = shutil.which(words[0], path=environment["PATH"])
    if program is None:
        raise lacks(words[0])
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(program, words, environment)


def _failed(result: Finished, said: str, cwd: Path, failure: type[Failure], hint: str) -> Failure:
    how = f"exit {result.returncode}" if result.returncode >= 0 else f"signal {-result.returncode}"
    message = f"{how}: {quote(result.argv)}"
    if result.returncode in NOT_STARTED and said.startswith(SETPRIV):
        return MachineLacks(
            f"{result.argv[0]} cannot be run here: {said.strip().rpartition(': ')[2]}",
            detail=f"$ {quote(result.argv)}",
            hint="it may be made for another architecture, or name an interpreter that is not there",
        )
    if NO_SPACE in said or shutil.disk_usage(cwd).free < 1 << 20:
        return MachineLacks(
            f"the disk is full ({cwd}); {message}",
            detail=_last_lines(said),
            hint=ROOM,
        )
    return failure(message, detail=_last_lines(said), hint=hint)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the process group: asked first, forced when it is still there after GRACE seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + GRACE
        while process.poll() is None or _lives(process.pid):
            if time.monotonic() > deadline:
                break
            time.sleep(0.005)
        else:
            return


def _lives(group: int) -> bool:
    """Whether a process group has a member that is more than an entry in the table, waiting to be reaped by init."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, found = file.read_text(errors="replace").rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(found) == group and state not in "ZX":
            return True
    return False


def _environment(extra: Mapping[str, str | None]) -> dict[str, str]:
    """Our own environment without what is for us alone, with `extra` in it; None takes a variable away."""
    path = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/local/sbin:/usr/sbin:/sbin"
    ours = {name: value for name, value in os.environ.items() if name not in FOR_US_ALONE}
    merged = {**ours, "PATH": path, "LC_ALL": "C.UTF-8", **extra}
    return {name: value for name, value in merged.items() if value is not None}


def _logged(log: Path, start: int) -> str:
    """The end of what was written to a log from `start` (bytes) on."""
    with log.open("rb") as file:
        file.seek(max(start, log.stat().st_size - LOOKED_AT))
        return file.read().decode(errors="replace")


def _last_lines(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-TAIL_LINES:])


def _see(log: Path | None) -> str:
    return f"the whole output is in {log}" if log else ""
