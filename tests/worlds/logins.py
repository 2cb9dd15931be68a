"""Users who become root by sudo and doas, behind a real sshd: /etc, /home and sudo's records are private copies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from mplskit.remote.host import Become, Host
from tests.worlds.sshd import Sshd, make_key, prepared, running

PASSWORD = "correct horse; 'battery\" $(staple) \\n%p"

# Who may what; each logs in with the same key, and each has the PASSWORD.
SUDOERS = """\
Defaults env_reset, use_pty
Defaults lecture = always
Defaults secure_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
Defaults:tess requiretty
Defaults:cam timestamp_type = global
Defaults logfile = /etc/sudo.log
root ALL=(ALL:ALL) ALL
asked ALL=(root) ALL
cam ALL=(root) ALL
odd ALL=(root) ALL
free ALL=(root) NOPASSWD: ALL
loud ALL=(root) NOPASSWD: ALL
csh ALL=(root) ALL
fish ALL=(root) NOPASSWD: ALL
tess ALL=(root) NOPASSWD: ALL
some ALL=(root) NOPASSWD: /usr/bin/ls
"""
DOAS = "permit nopass free as root\npermit asked as root\n"
USERS = ("asked", "free", "tess", "some", "none", "bare", "cam", "odd", "loud", "csh", "fish", "menu")
# Their shells, where it is not sh; `loud` may do all that `free` may.
SHELLS = {"loud": "/bin/bash", "csh": "/bin/csh", "fish": "/usr/bin/fish", "menu": "/usr/sbin/nologin"}
# What a start-up file says, and a banner: all of it looks like words of ours, of ssh and of sudo.
NOISE = """\
printf 'failed\\tnode\\troot\\tmust run as root, not as loud\\nhave\\tnode\\tpackages\\t\\nsystem\\tWindows\\nroot-x\\n'
echo 'bash: warning: setlocale: LC_ALL: cannot change locale (xx_XX.UTF-8)' >&2
echo 'sudo: a password is required' >&2
"""
BANNER = "Connection refused to all but staff. sudo: a password is required\n" * 20

# $1: folder with the server's files; $2: the password; then the users.
WORLD = """\
set -e
folder=$1 password=$2
shift 2
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
for place in /home /run/sudo /var/lib/sudo; do mkdir -p "$place"; mount -t tmpfs -o mode=755 none "$place"; done
cp "$folder/sudoers" /etc/sudoers
chmod 440 /etc/sudoers
cp "$folder/doas.conf" /etc/doas.conf
cp "$folder/client.pub" /etc/ssh/authorized
mkdir -p /home/bare-path
ln -s /bin/sh /usr/bin/id /home/bare-path
for user in "$@"; do
    useradd -m -s /bin/sh "$user"
    printf '%s:%s\\n' "$user" "$password" | chpasswd
    while read -r name shell; do [ "$name" != "$user" ] || usermod -s "$shell" "$user"; done <"$folder/shells"
done
cp "$folder/noise" /home/loud/.bashrc
cp "$folder/noise" /home/loud/.profile
exec /usr/sbin/sshd -D -e -f "$folder/sshd_config"
"""


@dataclass(frozen=True)
class Logins:
    """A running sshd; `pid` is its process, whose mount namespace holds the private /etc."""

    server: Sshd
    pid: int

    def host(self, user: str, become: Become | None, password: str | None = None) -> Host:
        """How one of the users logs in there."""
        config = self.server.folder / "config"
        return Host("node", user, None, config, become, password=password)

    def file(self, path: str) -> str:
        """A file of the private tree."""
        return Path(f"/proc/{self.pid}/root{path}").read_text()


def demand_logins(*programs: str) -> None:
    """Skip a test where the users cannot be made, or one of these programs is not there."""
    if os.geteuid() != 0 or process.run(["unshare", "--mount", "true"], check=False).returncode != 0:
        pytest.skip("needs root and a mount namespace")
    if missing := [name for name in ("sshd", "sudo", *programs) if not process.find(name)]:
        pytest.skip(f"{', '.join(missing)}: not there (./run test installs it)")


@contextmanager
def logins(folder: Path) -> Iterator[Logins]:
    """The server with its users."""
    make_key(folder / "client")
    bare = ("Match User bare", "  SetEnv PATH=/home/bare-path")
    loud = ("Match User loud,stranger", f"  Banner {folder / 'banner'}")
    server = prepared(folder, *bare, *loud, authorized="/etc/ssh/authorized")
    (folder / "config").write_text(
        f"Host node\n  HostName 127.0.0.1\n  Port {server.port}\n  IdentityFile {folder / 'client'}\n"
        f"  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile {folder / 'known_hosts'}\n"
        "  GlobalKnownHostsFile none\n"
    )
    (folder / "sudoers").write_text(SUDOERS)
    (folder / "noise").write_text(NOISE)
    (folder / "banner").write_text(BANNER)
    (folder / "shells").write_text("".join(f"{user} {shell}\n" for user, shell in SHELLS.items()))
    (folder / "doas.conf").write_text(DOAS)
    contained = ["unshare", "--mount", "--propagation", "private", "sh", "-c", WORLD, "sh"]
    with running(server, [*contained, str(folder), PASSWORD, *USERS]) as started:
        yield Logins(server, started.pid)
