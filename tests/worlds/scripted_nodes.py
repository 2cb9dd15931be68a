"""Nodes that real SSH sessions reach: each is a login of a real sshd, whose apply.sh is what the test says it is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mplskit import process
from tests.command_line import CommandLine
from tests.worlds.sshd import Sshd

# In the place of apply.sh; $NODE is a folder that stays, $SSHD the session's process.
GOOD = """\
state=changed; [ ! -e "$NODE/there" ] || state=same
[ "$1" = plan ] || : >"$NODE/there"
printf '%s\\tfile\\t/etc/sysctl.d/90-mplskit.conf\\twritten\\n%s\\tmodule\\tmpls_router\\tloaded\\n' $state $state
"""
FULL = "printf 'failed\\tfile\\t/etc/mplskit/node.json\\tNo space left on device\\n'; exit 1"
STAY = "while kill -0 $SSHD; do sleep 0.1; done 2>/dev/null"
SLOW = "printf 'changed\\tfile\\t/etc/mplskit/node.json\\twritten\\n'; : >\"$NODE/begun\"; " + STAY
CUT = "printf 'changed\\tfile\\t/etc/mplskit/node.json\\twritten\\n'; sleep 0.2; kill -9 $SSHD; " + STAY
NOTHING = "exit 0"
SH = """\
#!/bin/sh
case ${1:-} in
*/apply.sh) [ -f "$1" ] || exit 127; shift; . "$NODE/apply" ;;
*) exec /bin/sh "$@" ;;
esac
"""
# Each node has folders of its own where a session works.
CONTAINED = "unshare --map-root-user --mount sh"
LOGIN = """\
SSHD=$PPID NODE={node} PATH={folder}:$PATH
export SSHD NODE PATH
mount -t tmpfs none /root && mount -t tmpfs none /var/tmp || exit
exec sh -c "$SSH_ORIGINAL_COMMAND"
"""


@dataclass(frozen=True)
class World:
    """Nodes of an inventory, reached through an ssh_config of their own."""

    folder: Path
    sshd: Sshd
    mplskit: CommandLine

    def node(self, name: str, script: str = "", *, port: int | None = None) -> None:
        """A node whose apply.sh is `script`; another script takes its place."""
        place = self.folder / name
        if not place.exists():
            place.mkdir()
            (place / "login").write_text(LOGIN.format(node=place, folder=self.folder / "bin"))
            self.sshd.login(place / "key", f"exec {CONTAINED} {place}/login")
            config = self.sshd.host(port=port).ssh_config
            assert config is not None
            text = config.read_text().replace("Host node\n", f"Host {name}\n")
            with (self.folder / "ssh_config").open("a") as file:
                file.write(text.replace(str(self.sshd.folder / "client"), str(place / "key")))
        (place / "apply").write_text(script)

    def inventory(self, *names: str) -> Path:
        """An inventory of these nodes."""
        path = self.folder / "nodes.yaml"
        path.write_text("nodes:\n" + "".join(f"  {name}: {{}}\n" for name in names))
        return path

    def words(self, task: str, *words: str) -> list[str]:
        """The command line of a task on the inventory."""
        where = ["--inventory", str(self.folder / "nodes.yaml"), "--ssh-config", str(self.folder / "ssh_config")]
        return [task, *where, *words]

    def run(self, task: str, *words: str) -> tuple[int, Mapping[str, Any], str]:
        """Exit code, JSON and stderr of a task on the inventory."""
        ended = self.mplskit(*self.words(task, "--json", *words))
        return ended.returncode, json.loads(ended.stdout or "{}"), ended.stderr


@pytest.fixture
def fleet(namespaces: None, sshd: Sshd, tmp_path: Path) -> World:
    """No node yet."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "sh").write_text(SH)
    (tmp_path / "bin" / "sh").chmod(0o755)
    return World(tmp_path, sshd, CommandLine(tmp_path))


def states(document: Mapping[str, Any]) -> dict[str, str]:
    """The state of each node in the JSON of a task."""
    return {row["node"]: row["state"] for row in document["nodes"]}


def sessions(folder: Path) -> Sequence[str]:
    """The ssh processes that use this world's ssh_config."""
    found = process.run(["pgrep", "-f", f"ssh -T -F {folder}/ssh_config"], check=False).stdout
    return found.split()
