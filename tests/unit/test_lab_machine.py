"""The machine of a lab: which modules it gets, and which kernel."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.lab.flags import PlaceFlags
from mplskit.lab.machine.initramfs import bring, closure, module_name, parse_dependencies
from mplskit.lab.machine_choice import Place, is_here, place_as_json, place_of, place_of_json
from mplskit.paths import Workspace
from mplskit.remote.flags import AS_SSH_CONFIG_SAYS, SessionFlags
from mplskit.remote.host import Host

DEP = """\
kernel/net/mpls/mpls_router.ko.xz: kernel/net/ipv4/ip_tunnel.ko.xz
kernel/net/mpls/mpls_iptunnel.ko.xz: kernel/net/mpls/mpls_router.ko.xz kernel/net/ipv4/ip_tunnel.ko.xz
kernel/net/ipv4/ip_tunnel.ko.xz:
kernel/drivers/net/veth.ko.xz:
kernel/crypto/crc32c_generic.ko.xz:
"""


def workspace(folder: Path) -> Workspace:
    return Workspace(folder / "build", folder / "dist", folder / "cache")


def test_a_module_comes_with_all_that_it_needs_and_after_it() -> None:
    assert closure(parse_dependencies(DEP), ["mpls_iptunnel", "mpls_router", "no_such"]) == [
        "kernel/net/ipv4/ip_tunnel.ko.xz",
        "kernel/net/mpls/mpls_router.ko.xz",
        "kernel/net/mpls/mpls_iptunnel.ko.xz",
    ]


def test_a_module_keeps_its_path_below_its_release_wherever_the_workspace_is(tmp_path: Path) -> None:
    source, target = tmp_path / "kernel/source", tmp_path / "kernel/target"
    path = "kernel/drivers/net/veth.ko"
    (source / path).parent.mkdir(parents=True)
    (source / path).write_bytes(b"module")
    assert bring(source, path, target) == path
    assert (target / path).read_bytes() == b"module"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("kernel/net/mpls/mpls-gso.ko", "mpls_gso"),
        ("kernel/crypto/crc32c_generic.ko.xz", "crc32c_generic"),
        ("veth.ko.zst", "veth"),
    ],
)
def test_a_module_is_named_with_underscores_however_its_file_is_packed(path: str, name: str) -> None:
    assert module_name(path) == name


@given(st.text())
def test_no_text_stops_the_reader_of_dependencies(text: str) -> None:
    parse_dependencies(text)


def test_only_one_machine_can_be_meant() -> None:
    with pytest.raises(WrongInput, match="--kernel and --host: one machine only"):
        place_of(PlaceFlags(kernel="here", host="node"), AS_SSH_CONFIG_SAYS)
    with pytest.raises(WrongInput, match="--ssh-config config: no node is asked"):
        place_of(PlaceFlags(), SessionFlags(ssh_config="config"))


@pytest.mark.parametrize(
    "host", [None, Host("node"), Host("node", "ann", 22, Path("config"), "sudo", accept_new=True, password='"secret')]
)
def test_a_place_is_the_same_for_the_process_that_holds_a_lab(host: Host | None) -> None:
    place = Place(kernel="" if host else "here", host=host)
    assert place_of_json(place_as_json(place).decode()) == place


def test_a_lab_is_played_here_when_that_is_asked_for(tmp_path: Path) -> None:
    assert is_here(workspace(tmp_path), Place(kernel="here"))
    for text in ("debian:trixie", "dist", "stock"):
        assert not is_here(workspace(tmp_path), Place(kernel=text))
