from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.machine_kernel import MachineKernel, is_module, module_name, parse, read_machine
from mplskit.errors import OutsideFailed

SAID = """\
Welcome to the node. Mind the\tgap.
system\tLinux
architecture\tx86_64
release\t6.1.0-50-amd64
config_from\t/boot/config-6.1.0-50-amd64
config\t#
config\tCONFIG_MPLS=y
config\tCONFIG_LOCALVERSION="\ta"
loaded\tmpls_router 40960 1 mpls_iptunnel, Live 0x0000000000000000
loaded\tmpls_iptunnel 20480 0 - Live 0x0000000000000000
listed\t# /etc/modules: kernel modules to load at boot time.
listed\t
listed\t  ; another comment
listed\tmpls-router
listed\tloop max_loop=64
file\t./kernel/net/mpls/mpls_router.ko
file\t./kernel/drivers/net/dummy-x.ko.xz
file\t./updates/dkms/wireguard.ko.zst
file\t./kernel/notes.ko.txt
builtin\tkernel/net/mpls/mpls_gso.ko
router\t/lib/modules/6.1.0-50-amd64/kernel/net/mpls/mpls_router.ko
router\t/lib/modules/6.1.0-49-amd64/kernel/net/mpls/mpls_router.ko
router\t/lib/modules/5.10.0-1-amd64/modules.builtin:kernel/net/mpls/mpls_router.ko
os\tID=debian
os\tVERSION_CODENAME="bookworm"
end\t
"""


def test_what_a_machine_says_becomes_values() -> None:
    assert parse("ler-1", SAID.split("\n")) == MachineKernel(
        name="ler-1",
        release="6.1.0-50-amd64",
        architecture="x86_64",
        config='#\nCONFIG_MPLS=y\nCONFIG_LOCALVERSION="\ta"\n',
        config_from="/boot/config-6.1.0-50-amd64",
        loaded=frozenset({"mpls_router", "mpls_iptunnel"}),
        listed=frozenset({"mpls_router", "loop"}),
        module_files={
            "mpls_router": "kernel/net/mpls/mpls_router.ko",
            "dummy_x": "kernel/drivers/net/dummy-x.ko.xz",
            "wireguard": "updates/dkms/wireguard.ko.zst",
        },
        builtin=frozenset({"mpls_gso"}),
        other_kernels=("5.10.0-1-amd64", "6.1.0-49-amd64"),
        os={"ID": "debian", "VERSION_CODENAME": "bookworm"},
    )


def test_a_machine_that_shows_no_configuration_has_none() -> None:
    machine = parse("ler-1", ["system\tLinux", "release\t6.1.0", "end\t"])
    assert (machine.config, machine.config_from, machine.module_files) == (None, "", {})


@pytest.mark.parametrize("name", ["mpls_router.ko", "a/b.ko.xz", "a/b.ko.zst", "a/b.ko.gz"])
def test_modules_may_be_compressed(name: str) -> None:
    assert is_module(name)


@pytest.mark.parametrize("name", ["mpls_router.o", "a.ko/modules.dep", "a.ko.sig", ""])
def test_other_files_are_no_modules(name: str) -> None:
    assert not is_module(name)


def test_the_kernel_knows_modules_with_underscores() -> None:
    assert module_name("kernel/sound/snd-hda-intel.ko.xz") == "snd_hda_intel"


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("", "ler-1 did not answer as a Linux machine with a POSIX shell does"),
        ("system\tLinux\nrelease\t6.1.0\n", "ler-1 did not answer as a Linux machine with a POSIX shell does"),
        ("system\tFreeBSD\nrelease\t14.1\nend\t\n", "ler-1 runs FreeBSD, not Linux"),
    ],
)
def test_a_machine_that_is_none_of_ours_is_told(said: str, message: str) -> None:
    with pytest.raises(OutsideFailed) as failed:
        parse("ler-1", said.split("\n"))
    assert failed.value.message == message


def test_what_a_strange_machine_says_is_shown() -> None:
    with pytest.raises(OutsideFailed) as failed:
        parse("ler-1", ["1) Status  2) Logout", ""], "exec: not allowed\n")
    assert failed.value.detail == "1) Status  2) Logout\nexec: not allowed"


@given(st.lists(st.text()))
def test_any_text_is_a_machine_or_refused(lines: list[str]) -> None:
    with pytest.raises(OutsideFailed):
        parse("x", lines)
    machine = parse("x", ["system\tLinux", "release\t1", *(f"loaded\t{line}" for line in lines), *lines, "end\t"])
    assert machine.release == "1"


def test_this_machine_says_what_it_runs() -> None:
    machine = read_machine(None)
    assert machine.release == Path("/proc/sys/kernel/osrelease").read_text().strip()
    assert machine.name == "this machine"
