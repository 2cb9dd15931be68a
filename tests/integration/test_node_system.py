"""Which systems are set up: asked of os-release before anything is changed."""

import os
from pathlib import Path

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import contained

pytestmark = pytest.mark.usefixtures("namespaces")

BOOKWORM = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n'
WELCOME = {
    "bullseye": 'PRETTY_NAME="Debian GNU/Linux 11 (bullseye)"\nVERSION_ID="11"\nID=debian\n',
    "bookworm": BOOKWORM,
    "trixie": "PRETTY_NAME='Debian GNU/Linux 13 (trixie)'\nVERSION_ID=\"13\"\nID=debian\n",
    "unstable": 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n',
    "jammy": 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
    "noble": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n',
}
NOTED = {
    "Linux Mint 22": 'ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nPRETTY_NAME="Linux Mint 22"\n',
    "Raspbian GNU/Linux 12": 'ID=raspbian\nID_LIKE=debian\nPRETTY_NAME="Raspbian GNU/Linux 12"\n',
}
KNOWN = "mplskit sets up Debian 11 or later, Ubuntu 22.04 or later"
REFUSED = {
    'PRETTY_NAME="Debian GNU/Linux 10 (buster)"\nVERSION_ID="10"\nID=debian\n': (
        f"Debian GNU/Linux 10 (buster) is too old: {KNOWN}"
    ),
    'PRETTY_NAME="Ubuntu 20.04.6 LTS"\nVERSION_ID="20.04"\nID=ubuntu\nID_LIKE=debian\n': (
        f"Ubuntu 20.04.6 LTS is too old: {KNOWN}"
    ),
    'PRETTY_NAME="Fedora Linux 41"\nVERSION_ID=41\nID=fedora\n': f"Fedora Linux 41: {KNOWN}, and what is made of them",
    'ID=almalinux\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="AlmaLinux 9"\n': (
        f"AlmaLinux 9: {KNOWN}, and what is made of them"
    ),
    'PRETTY_NAME="Not debian"\nID=other\nID_LIKE="notdebian debianish"\n': (
        f"Not debian: {KNOWN}, and what is made of them"
    ),
    "": f"an unknown system: {KNOWN}, and what is made of them",
}
# A system that nobody has: sourcing it would run that.
HOSTILE = 'ID=debian\nVERSION_ID="$(touch /etc/ran)"\nPRETTY_NAME="`touch /etc/ran`"\ntouch /etc/ran\nPATH=/nowhere\n'


def said(folder: Path, os_release: str, after: str = "", before: str = "", mode: str = "image") -> list[Item | str]:
    """What apply.sh says on a system of that name, then what `after` says."""
    stage(folder / "stage", NodeSpec())
    (folder / "os-release").write_text(os_release)
    script = f'cp {folder}/os-release /etc/os-release\n{before}\nsh "$APPLY" {mode}; echo "exit $?"\n{after}'
    return contained(folder / "stage", script)


@pytest.mark.parametrize("system", WELCOME)
def test_a_known_system_is_set_up_without_a_word(system: str, tmp_path: Path) -> None:
    heard = said(tmp_path, WELCOME[system])
    assert heard[-1] == "exit 0"
    assert not [item for item in heard if isinstance(item, Item) and item.state == "note"]


@pytest.mark.parametrize("system", NOTED)
def test_what_is_made_of_debian_goes_on_with_a_note(system: str, tmp_path: Path) -> None:
    heard = said(tmp_path, NOTED[system])
    assert heard[-1] == "exit 0"
    assert heard[0] == Item("note", "node", "system", f"{system}: made of Debian, and not tried with mplskit")


@pytest.mark.parametrize("os_release", REFUSED)
def test_another_or_an_older_system_is_refused_and_nothing_is_changed(os_release: str, tmp_path: Path) -> None:
    heard = said(tmp_path, os_release, after="ls -A /etc /var/lib")
    assert heard == [
        Item("failed", "node", "system", REFUSED[os_release]),
        *("exit 1", "/etc:", "os-release", "", "/var/lib:", "dpkg"),
    ]


def test_a_machine_without_dpkg_is_refused(tmp_path: Path) -> None:
    hidden = (
        "mkdir /etc/bin && for tool in sh id dirname uname sed tail tr; do ln -s $(command -v $tool) /etc/bin; done\n"
    )
    hidden += 'sed "s|PATH=/usr/local/sbin:[^ ]*|PATH=/etc/bin|" "$APPLY" >/etc/apply.sh\n'
    hidden += 'cp "${APPLY%/*}"/*.sh /etc/bin; cp /etc/apply.sh /etc/bin; APPLY=/etc/bin/apply.sh'
    heard = said(tmp_path, BOOKWORM, before=hidden)
    assert heard == [Item("failed", "node", "dpkg", "Debian GNU/Linux 12 (bookworm): there is no dpkg"), "exit 1"]


def test_os_release_is_read_and_never_run(tmp_path: Path) -> None:
    heard = said(tmp_path, HOSTILE, after="ls /etc/ran")
    assert heard[-1] == "exit 1"
    assert isinstance(heard[0], Item)
    assert heard[0].detail == f"`touch /etc/ran` is too old: {KNOWN}"


@pytest.mark.skipif(Path(f"/lib/modules/{os.uname().release}").exists(), reason="this machine has its kernel's modules")
@pytest.mark.parametrize("system", ["jammy", "bookworm"])
def test_on_ubuntu_the_package_with_the_missing_modules_is_named(system: str, tmp_path: Path) -> None:
    heard = said(tmp_path, WELCOME[system], mode="node")
    [item] = [item for item in heard if isinstance(item, Item) and item.name == "mpls_router"]
    assert item.state == "failed"
    named = f"apt-get install linux-modules-extra-{os.uname().release} brings it on Ubuntu"
    assert item.detail.endswith(named) is (system == "jammy")
