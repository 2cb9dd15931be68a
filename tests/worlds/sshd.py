"""A real sshd of our own on 127.0.0.1: own host key, own authorized_keys, a free port, gone after the tests."""

import contextlib
import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from mplskit.remote.host import Host


@dataclass(frozen=True)
class Sshd:
    """A running sshd; `folder` holds its keys and the client's."""

    port: int
    folder: Path

    def host(self, *, port: int | None = None, key: str = "client", known: bool = True) -> Host:
        """A host named `node` of an ssh_config of its own; `key` is a file in `folder`."""
        known_hosts = self.folder / ("known_hosts" if known else "nothing_known")
        config = self.folder / f"config-{port}-{key}-{known}"
        config.write_text(
            f"Host node\n  HostName 127.0.0.1\n  Port {port or self.port}\n  User {getpass.getuser()}\n"
            f"  IdentityFile {self.folder / key}\n  IdentitiesOnly yes\n  IdentityAgent none\n"
            f"  UserKnownHostsFile {known_hosts}\n  GlobalKnownHostsFile none\n"
        )
        return Host("node", ssh_config=config)

    def login(self, key: Path, command: str) -> None:
        """Make a key whose sessions run a command of ours, whatever they ask for; `"` in it has to be quoted."""
        make_key(key)
        with (self.folder / "authorized_keys").open("a") as file:
            file.write(f'command="{command}" {Path(f"{key}.pub").read_text()}')


def free_port() -> int:
    """A port on 127.0.0.1 where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def make_key(path: Path) -> None:
    """A key pair, PATH and PATH.pub, whose comment is its name."""
    process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", path.name, "-f", path])


def prepared(folder: Path, *settings: str, authorized: str = "") -> Sshd:
    """A server that is not started yet: its keys, its known_hosts, its sshd_config with further lines of settings."""
    server = Sshd(free_port(), folder)
    make_key(folder / "host")
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {(folder / 'host.pub').read_text()}")
    lines = (
        *("ListenAddress 127.0.0.1", f"Port {server.port}", f"HostKey {folder / 'host'}", "PidFile none"),
        *("UsePAM no", "StrictModes no", "MaxStartups 100", "PasswordAuthentication no"),
        *("KbdInteractiveAuthentication no", f"AuthorizedKeysFile {authorized or folder / 'authorized_keys'}"),
    )
    (folder / "sshd_config").write_text("".join(f"{line}\n" for line in (*lines, *settings)))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    return server


@contextlib.contextmanager
def running(server: Sshd, argv: Sequence[str | Path] = ()) -> Iterator["subprocess.Popen[bytes]"]:
    """The server, started by a command that ends in sshd; without one, by sshd itself. `folder`/log has its words."""
    own = (process.find("sshd") or "", "-D", "-e", "-f", server.folder / "sshd_config")
    with (server.folder / "log").open("wb") as log:
        with process.started(argv or own, stdout=log, stderr=log) as started:
            _await(server.port, started)
            yield started


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A running sshd that lets `client` in and knows no other key."""
    if process.find("sshd") is None:
        pytest.skip("openssh-server is not installed (./run test installs it)")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("client", "stranger"):
        make_key(folder / name)
    (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
    server = prepared(folder, "PermitRootLogin prohibit-password")
    with running(server):
        yield server


def _await(port: int, started: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and started.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            if connection.recv(8).startswith(b"SSH-2.0"):
                return
        time.sleep(0.02)
    raise AssertionError("sshd did not come up")
