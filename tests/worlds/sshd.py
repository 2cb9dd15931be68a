"""A real sshd of our own on 127.0.0.1: own host key, own authorized_keys, a free port, gone after the test run."""

import contextlib
import getpass
import os
import socket
import subprocess
import time
from collections.abc import Iterator
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


def free_port() -> int:
    """A port on 127.0.0.1 where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A running sshd that lets `client` in and knows no other key."""
    if process.find("sshd") is None:
        pytest.skip("openssh-server is not installed (./run test installs it)")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "client", "stranger"):
        process.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name])
    (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
    server = Sshd(free_port(), folder)
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {server.port}\nHostKey {folder / 'host'}\nPidFile none\n"
        f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\nUsePAM no\nMaxStartups 100\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    argv = [process.find("sshd") or "", "-D", "-e", "-f", folder / "sshd_config"]
    with process.started(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        awaited(server.port, running)
        yield server


def awaited(port: int, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and running.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            if connection.recv(8).startswith(b"SSH-2.0"):
                return
    raise AssertionError("sshd did not come up")
