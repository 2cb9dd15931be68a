"""A kernel is brought over a real SSH session to a node whose /etc, /var/lib and /lib are a namespace's own."""

import hashlib
import json
import sys
from pathlib import Path

import pytest

from mplskit import process
from mplskit.remote.host import Host
from tests.worlds.contained_node import CONTAINED, GROUND
from tests.worlds.package_file import example_deb
from tests.worlds.sshd import Sshd

FOR_MACHINES = "hint: reboot it, then node.verify\n"
FOR_GUESTS = (
    "hint: reboot it, then node.verify; mind that the kernel brought is one for virtual machines (base guest): "
    "a machine of metal needs its own drivers and an initramfs to boot\n"
)
RELEASE = "9.9.9-mpls"
MODULES = f"""\
mkdir /var/lib/upper /var/lib/work &&
mount -t overlay -o lowerdir=/lib,upperdir=/var/lib/upper,workdir=/var/lib/work none /lib &&
mkdir -p /lib/modules/{RELEASE} || exit
"""


@pytest.fixture(scope="module")
def node(sshd: Sshd) -> Host:
    """A login where everything that a set-up changes is of a namespace, empty every time."""
    script = sshd.folder / "node"
    script.write_text(GROUND + MODULES + 'exec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    if process.run([*CONTAINED[:-1], script, "/"], check=False).returncode != 0:
        pytest.skip("this machine gives no user and mount namespaces to us")
    sshd.login(sshd.folder / "node-key", f"exec {process.quote([*CONTAINED[:-1], script])} /")
    return sshd.host(key="node-key")


@pytest.mark.parametrize(("base", "hint"), [("guest", FOR_GUESTS), ("debian", FOR_MACHINES)])
def test_a_kernel_that_waits_for_a_reboot_is_told_with_the_machines_that_it_is_for(
    base: str, hint: str, node: Host, tmp_path: Path
) -> None:
    image = example_deb(tmp_path, content="x", name=f"linux-image-{RELEASE}")
    digest = hashlib.sha256(image.read_bytes()).hexdigest()
    row = {"package": f"linux-image-{RELEASE}", "file": image.name, "sha256": digest, "role": "image"}
    (tmp_path / "metadata.json").write_text(json.dumps({"base": base, "packages": [row]}))
    task = ["node.bootstrap", "--host", str(node), "--ssh-config", str(node.ssh_config), "--packages", str(tmp_path)]
    program = [sys.executable, "-c", "from mplskit.tasks import program; program.run()"]
    ended = process.run([*program, *task], check=False)
    assert ended.returncode == 1
    assert f"kernel {RELEASE}: installed; " in ended.stderr
    assert ended.stderr.endswith(hint)
    assert ended.stderr.startswith("! the kernel brought is one for virtual machines") is (base == "guest")
