from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.config_request import make_request
from mplskit.config.flags import ConfigFlags
from mplskit.config.trim import modules_of, parse_lsmod
from mplskit.errors import WrongInput
from mplskit.remote.host import Host

LSMOD = """\
Module                  Size  Used by
mpls_iptunnel          20480  0
mpls_router            49152  1 mpls_iptunnel
virtio-net             86016  0
"""
PROC = "veth 45056 0 - Live 0x0000000000000000\nmpls_gso 12288 0 - Live 0x0000000000000000\n"


def test_modules_are_read_from_lsmod_and_from_proc_modules() -> None:
    assert parse_lsmod(LSMOD) == {"mpls_iptunnel", "mpls_router", "virtio_net"}
    assert parse_lsmod(PROC) == {"veth", "mpls_gso"}


@given(st.text())
def test_any_text_gives_names_or_is_refused(text: str) -> None:
    try:
        names = parse_lsmod(text)
    except ValueError:
        return
    assert all(name and "-" not in name and not name.isspace() for name in names)


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"mpls_router 49152 0\n# mplskit\n", "line 2 is '# mplskit'"),
        (b"mpls_router\n", "line 1 is 'mpls_router'"),
        (b"\x7fELF\xff\xfe", "it is no text"),
    ],
)
def test_a_file_that_lsmod_did_not_print_is_refused(tmp_path: Path, content: bytes, detail: str) -> None:
    listing = tmp_path / "lsmod"
    listing.write_bytes(content)
    with pytest.raises(WrongInput) as refused:
        modules_of(listing)
    assert refused.value.message == f"--trim-to {listing}: not what lsmod prints"
    assert refused.value.detail == detail


def test_a_path_that_is_not_there_is_no_host() -> None:
    with pytest.raises(WrongInput) as refused:
        make_request(ConfigFlags(trim_to="./lsmod.txt"))
    assert refused.value.message == "--trim-to ./lsmod.txt: there is no such file"


def test_a_file_or_a_node_can_be_trimmed_to(tmp_path: Path) -> None:
    listing = tmp_path / "lsmod"
    listing.write_text(LSMOD)
    assert make_request(ConfigFlags(trim_to=str(listing))).trim_to == listing
    assert make_request(ConfigFlags(trim_to="root@ler-1")).trim_to == Host("ler-1", "root")
    assert make_request(ConfigFlags()).trim_to is None


def test_a_node_without_modules_tells_nothing(tmp_path: Path) -> None:
    listing = tmp_path / "lsmod"
    listing.write_text("Module                  Size  Used by\n")
    with pytest.raises(WrongInput) as refused:
        modules_of(listing)
    assert refused.value.message == f"--trim-to {listing}: no module is in use or listed there, so nothing can be kept"
