"""A running machine: started by QEMU, reached by SSH, ended cleanly however the block is left."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mplskit import files, process, progress
from mplskit.errors import Failure, MachineLacks, NotSo
from mplskit.paths import Workspace
from mplskit.patience import attempts
from mplskit.remote.host import Host
from mplskit.remote.refusals import Unreachable
from mplskit.remote.session import once
from mplskit.vm import acceleration, console
from mplskit.vm.guest import Guest, command
from mplskit.vm.qemu import PACKAGE, QEMU
from mplskit.vm.qmp import Monitor

__all__ = ["Guest", "Machine", "booted"]

CONSOLE = "console.log"
PAUSE = 0.2
PATIENCE = 3.0
RARELY = 15.0
BANNER = b"SSH-2.0"
LOGIN = 30.0
POWEROFF = 60.0
QUIT = 10.0


@dataclass(frozen=True)
class Machine:
    """A running machine: `host` and `port` (of 127.0.0.1) lead to its SSH, `console` is the whole console log."""

    host: Host
    port: int
    console: Path
    accelerator: str
    process: "subprocess.Popen[bytes]" = field(repr=False, compare=False)
    monitor: Monitor = field(repr=False, compare=False)

    def let_reboot(self) -> None:
        """From now on the guest goes on after a reboot, which otherwise ends it. Needs QEMU 6.0."""
        self.monitor.execute("set-action", reboot="reset")

    def wait(self) -> None:
        """Return when the guest has powered off or rebooted."""
        self.process.wait()


@contextmanager
def booted(guest: Guest, folder: Path, timeout: float = 300) -> Iterator[Machine]:
    """Boot a guest and log in to it; `folder` gets console.log, qemu.log, ssh_config and known_hosts.

    Raises NotSo with the console's tail when the guest ends early or does not answer within `timeout` seconds,
    OutsideFailed when it answers but refuses the key, WrongInput when a file is missing, MachineLacks without QEMU and
    when another process has a machine in `folder`.
    """
    guest.check()
    process.require(QEMU, package=PACKAGE)
    process.require("ssh", package="openssh-client")
    folder = folder.absolute()
    with files.locked(folder / ".lock", wait=False):
        accelerator = acceleration.choose(guest.kernel, Workspace.here().cache)
        progress.note(f"  {accelerator.name}: {accelerator.reason}")
        with _qemu(guest, accelerator, folder) as (qemu, monitor):
            with progress.step(f"boot {guest.disk.name}"):
                port = monitor.ssh_port()
                host = Host("vm", ssh_config=_ssh_config(guest, folder, port))
                machine = Machine(host, port, folder / CONSOLE, accelerator.name, qemu, monitor)
                _await_ssh(machine, guest.prompt, timeout)
                once(host, "true", timeout=LOGIN)
            try:
                yield machine
            finally:
                _end(machine, monitor)


@contextmanager
def _qemu(
    guest: Guest, accelerator: acceleration.Accelerator, folder: Path
) -> Iterator[tuple["subprocess.Popen[bytes]", Monitor]]:
    log = folder / CONSOLE
    log.write_bytes(b"")
    ours, theirs = socket.socketpair()
    with ours, theirs, (folder / "qemu.log").open("wb") as words:
        argv = command(guest, accelerator, log, theirs.fileno())
        words.write(f"$ {process.quote(argv)}\n".encode())
        words.flush()
        # TMPDIR is where QEMU makes the overlay of snapshot=on; it is unlinked at once, so nothing can be left behind.
        environment = {"TMPDIR": str(folder)}
        with process.started(
            argv,
            stdout=words,
            stderr=words,
            env=environment,
            pass_fds=[theirs.fileno(), *(plug.fd for plug in guest.plugs if plug.fd is not None)],
        ) as qemu:
            theirs.close()
            try:
                monitor = Monitor(ours)
            except NotSo:
                with suppress(subprocess.TimeoutExpired):
                    qemu.wait(QUIT)
                raise MachineLacks(
                    f"QEMU did not start (exit {qemu.returncode})",
                    detail=console.tail(folder / "qemu.log"),
                    hint="its first line is the command; memory, cpus and the files in it must suit this machine",
                ) from None
            yield qemu, monitor


def _ssh_config(guest: Guest, folder: Path, port: int) -> Path:
    """An ssh_config whose only host is `vm`; its host key is new at each boot of a disk that does not persist.

    The key is a link beside it: in a path of the user's ssh would read `${…}` and quotation marks its own way.
    """
    known_hosts, path, key = folder / "known_hosts", folder / "ssh_config", folder / "key"
    known_hosts.unlink(missing_ok=True)
    key.unlink(missing_ok=True)
    key.symlink_to(guest.key.absolute())
    settings = {
        "HostName": "127.0.0.1",
        "Port": str(port),
        "User": "root",
        "IdentityFile": _quoted(key),
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "UserKnownHostsFile": _quoted(known_hosts),
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "accept-new",
    }
    path.write_text("Host vm\n" + "".join(f"  {name} {value}\n" for name, value in settings.items()))
    return path


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("%", "%%") + '"'


def _await_ssh(machine: Machine, prompt: bytes, timeout: float) -> None:
    """Return when sshd's banner is read from the forwarded port.

    QEMU itself accepts connections from the start and hands all of them to the guest once it is up, so only few are
    made before the console says that it is up.
    """
    next_try = time.monotonic() + RARELY
    for _ in attempts(timeout, PAUSE):
        if time.monotonic() >= next_try or prompt in machine.console.read_bytes():
            next_try = time.monotonic() + RARELY
            if _greets(machine.port):
                return
        if machine.process.poll() is not None:
            raise _silent(machine, "the guest ended before it answered by SSH")
    raise _silent(machine, f"the guest does not answer by SSH after {timeout:g} s")


def _silent(machine: Machine, message: str) -> NotSo:
    return NotSo(message, detail=console.tail(machine.console), hint=f"the whole console is in {machine.console}")


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.settimeout(PATIENCE)
            return connection.recv(len(BANNER)) == BANNER
    except OSError:
        return False


def _end(machine: Machine, monitor: Monitor) -> None:
    """Power off by SSH; what does not follow is told to quit; what then is left is ended by `process.started`."""
    if machine.process.poll() is not None:
        return
    try:
        with progress.step("power off"):
            with suppress(Unreachable):  # it is off before it answers
                once(machine.host, "poweroff", timeout=LOGIN, check=False)
            machine.process.wait(POWEROFF)
    except (Failure, subprocess.TimeoutExpired):
        with suppress(Failure, subprocess.TimeoutExpired):
            monitor.execute("quit")
            machine.process.wait(QUIT)
