"""Audits, configurations and labs get into a node as node tasks do: real sudo and doas behind a real sshd."""

import json
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mplskit import process
from mplskit.config.config_request import make_request
from mplskit.config.flags import ConfigFlags
from mplskit.config.trim import modules_of
from mplskit.lab.flags import PlaceFlags
from mplskit.lab.machine_choice import ground, place_of
from mplskit.lab.up import way_in
from mplskit.paths import Workspace
from mplskit.remote.flags import SessionFlags
from tests.command_line import CommandLine
from tests.worlds.fake_linux import plant
from tests.worlds.kernel_packages import config
from tests.worlds.logins import PASSWORD, Logins, demand_logins, logins

BOOT = f"/boot/config-{platform.release()}"
LISTED = "/etc/modules-load.d/roots.conf"
# The kernel's configuration, and a list of modules, are for root's eyes alone.
FOR_ROOT = f"""\
set -e
mount -t tmpfs none /boot
[ ! -e /proc/config.gz ] || mount --bind /dev/null /proc/config.gz
cat >{BOOT}
echo mpls-of-root >{LISTED}
chmod 600 {BOOT} {LISTED}
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logins]:
    demand_logins("doas")
    with logins(tmp_path_factory.mktemp("logins")) as running:
        inside = ["nsenter", "--target", str(running.pid), "--mount", "sh", "-c", FOR_ROOT]
        process.run(inside, stdin=config(NET_MPLS_GSO="n").encode())
        yield running


@pytest.fixture
def known(there: Logins) -> str:
    """An ssh_config that knows the node's host key."""
    return str(there.server.folder / "config")


@pytest.fixture
def mplskit(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def audited(ended: "subprocess.CompletedProcess[str]") -> str:
    """Where the audit has the configuration from."""
    return str(json.loads(ended.stdout)["config_from"])


@pytest.mark.parametrize("become", ["sudo", "doas"])
def test_an_audit_reads_as_root_what_only_root_may(
    there: Logins, known: str, mplskit: CommandLine, become: str
) -> None:
    words = ("kernel.audit", "--host", "free@node", "--ssh-config", known, "--json")
    assert audited(mplskit(*words)) != BOOT
    assert audited(mplskit(*words, "--become", become)) == BOOT


def test_an_audit_gives_sudo_the_password_of_the_environment(there: Logins, known: str, tmp_path: Path) -> None:
    mplskit = CommandLine(tmp_path, {"MPLSKIT_BECOME_PASSWORD": PASSWORD})
    ended = mplskit("kernel.audit", "--host", "asked@node", "--ssh-config", known, "--become", "sudo", "--json")
    assert audited(ended) == BOOT
    assert PASSWORD not in ended.stdout + ended.stderr


def test_the_advice_of_an_audit_gets_into_the_node_as_the_audit_did(
    there: Logins, known: str, mplskit: CommandLine
) -> None:
    ended = mplskit("kernel.audit", "--host", "free@node", "--ssh-config", known, "--become", "sudo")
    assert f"--base running --host free@node --ssh-config {known} --become sudo" in ended.stderr


def test_a_host_key_is_taken_on_first_sight_when_that_is_said(
    there: Logins, known: str, mplskit: CommandLine, tmp_path: Path
) -> None:
    own = tmp_path / "known_hosts"
    stranger = tmp_path / "config"
    stranger.write_text(Path(known).read_text().replace(str(there.server.folder / "known_hosts"), str(own)))
    words = ("kernel.audit", "--host", "free@node", "--ssh-config", stranger, "--json")
    refused = mplskit(*words)
    assert (refused.returncode, own.exists()) == (4, False)
    assert json.loads(mplskit(*words, "--accept-new").stdout)["subject"] == "free@node"
    assert own.read_text()


def test_the_configuration_of_a_node_is_read_as_root(there: Logins, known: str, mplskit: CommandLine) -> None:
    tree = plant(mplskit.folder)
    words = ("kernel.config", "--source", f"tree:{tree}", "--base", "running", "--host", "free@node")
    refused = mplskit(*words, "--ssh-config", known)
    assert refused.returncode != 0 and "configuring" not in refused.stderr
    ended = mplskit(*words, "--ssh-config", known, "--become", "sudo")
    assert f"configuring Linux 6.1.999 from running ({BOOT} of free@node, " in ended.stderr


def test_the_modules_of_a_node_are_listed_as_root(there: Logins, known: str) -> None:
    node = make_request(ConfigFlags(trim_to="free@node"), SessionFlags(become="sudo", ssh_config=known)).trim_to
    assert node
    assert "mpls_of_root" in modules_of(node)


@pytest.mark.parametrize(
    ("user", "become", "password"), [("root", "sudo", ""), ("free", "doas", ""), ("asked", "sudo", PASSWORD)]
)
def test_a_lab_on_a_host_is_played_as_root(
    user: str, become: str, password: str, there: Logins, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLSKIT_BECOME_PASSWORD", password)
    place = place_of(PlaceFlags(host=f"{user}@node"), SessionFlags(become=become, ssh_config=known))
    with ground(Workspace.here(), place) as machine:
        assert machine.run(["id", "-u"]).output == "0\n"


@pytest.mark.parametrize(("user", "become"), [("root", "sudo"), ("free", "sudo"), ("free", "doas")])
def test_the_way_into_a_node_of_a_lab_is_roots(user: str, become: str, there: Logins, known: str) -> None:
    place = place_of(PlaceFlags(host=f"{user}@node"), SessionFlags(become=become, ssh_config=known))
    with ground(Workspace.here(), place) as machine:
        *ssh, inside = way_in(machine, ["env", "A=a b"])
    command = process.quote(["sh", "-c", 'id -u; echo "$A"'])
    assert process.run([*ssh, f"{inside} {command}"]).stdout == "0\na b\n"


def test_a_lab_that_stays_up_is_told_how_its_host_is_reached(there: Logins, known: str, mplskit: CommandLine) -> None:
    words = ("--host", "none@node", "--ssh-config", known, "--become", "sudo")
    ended = mplskit("lab.up", "hello-world", *words)
    assert ended.returncode == 3
    assert "none@node: sudo does not make the login root" in ended.stderr
