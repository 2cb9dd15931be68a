"""Nodes that pyinfra reaches: logins of a real sshd, each with folders of its own, whose apply.sh is the test's."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.command_line import CommandLine
from tests.worlds.scripted_nodes import CONTAINED
from tests.worlds.sshd import Sshd, prepared, running

# In the place of apply.sh; $NODE is a folder that stays, $SSHD the session's process.
SH = """\
#!/bin/sh
case ${1:-} in
*/apply.sh) [ -f "$1" ] || exit 127; place=${1%/*}; shift; . "$NODE/apply" ;;
*) exec /bin/sh "$@" ;;
esac
"""
LOGIN = """\
SSHD=$PPID NODE={node} PATH={programs}:$PATH
export SSHD NODE PATH
mount -t tmpfs none /root && mount --bind "$NODE/tmp" /var/tmp && mount --bind "$NODE/lib" /var/lib || exit
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""


@dataclass(frozen=True)
class World:
    """Nodes by name. `config` is the ssh_config that leads to them."""

    folder: Path
    sshd: Sshd
    mplskit: CommandLine
    names: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "ssh_config"

    def node(self, name: str, script: str = "", *, port: int | None = None, known: bool = True) -> Path:
        """A node whose apply.sh is `script`, or, with a `port`, a place where there is none; returns its folder."""
        place = self.folder / name
        for below in ("tmp", "lib"):
            (place / below).mkdir(parents=True)
        (place / "apply").write_text(script)
        (place / "login").write_text(LOGIN.format(node=place, programs=self.folder / "bin"))
        self.sshd.login(place / "key", f"exec {CONTAINED} {place}/login")
        with self.config.open("a") as file:
            file.write(
                f"Host {name}\n  HostName 127.0.0.1\n  Port {port or self.sshd.port}\n  IdentityFile {place / 'key'}\n"
                f"  IdentitiesOnly yes\n  IdentityAgent none\n"
                f"  UserKnownHostsFile {self.sshd.folder / ('known_hosts' if known else 'nothing_known')}\n"
                "  GlobalKnownHostsFile none\n"
            )
        self.names.append(name)
        return place

    def words(self, task: str, *words: str) -> list[str]:
        """The command line of a task on all nodes, carried by pyinfra."""
        inventory = self.folder / "nodes.yaml"
        inventory.write_text("nodes:\n" + "".join(f"  {name}: {{}}\n" for name in self.names))
        return [task, "--inventory", str(inventory), "--ssh-config", str(self.config), "--engine", "pyinfra", *words]

    def run(self, task: str, *words: str) -> tuple[int, Mapping[str, Any], str]:
        """Exit code, JSON and stderr of a task on all nodes."""
        ended = self.mplskit(*self.words(task, "--json", *words))
        return ended.returncode, json.loads(ended.stdout or "{}"), ended.stderr


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """An sshd of our own that has sftp, and no node yet."""
    keys = folder / "sshd"
    keys.mkdir()
    # With SHLVL bash takes itself for an inner shell, and reads no ~/.bashrc: sftp bears no word of it.
    server = prepared(keys, "PermitRootLogin yes", "Subsystem sftp /usr/lib/openssh/sftp-server", "SetEnv SHLVL=2")
    (folder / "bin").mkdir()
    (folder / "bin" / "sh").write_text(SH)
    (folder / "bin" / "sh").chmod(0o755)
    with running(server):
        yield World(folder, server, CommandLine(folder, {"HOME": str(folder)}))
