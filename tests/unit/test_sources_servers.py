"""Servers of sources: a password reaches them and nothing that is shown or written down, and they may not drip."""

import base64
import time
from contextlib import suppress
from socketserver import BaseRequestHandler

import pytest

from mplskit.errors import WrongInput
from mplskit.sources.download import text_of
from mplskit.sources.network_settings import Network, network
from mplskit.sources.server_patience import Unsteady
from tests.worlds.http_server import Quiet, listening


def test_a_login_in_a_mirrors_address_is_no_part_of_what_is_shown() -> None:
    settings = network({"MPLSKIT_KERNEL_MIRROR": "https://ann:s%40cret@mirror.example:8443/pub/linux/"})
    assert settings.mirror == "https://mirror.example:8443/pub/linux"
    assert settings.login("https://mirror.example:8443/pub/linux/kernel/v6.x/linux-6.1.tar.xz") == ("ann", "s@cret")
    assert settings.login("https://www.kernel.org/releases.json") is None
    assert "cret" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("ftp://ann:s3cret@mirror.example/x", "ftp://********@mirror.example/x"),
        ("https:/ann:s3cret@mirror.example/x", "https:/********@mirror.example/x"),
        ("https://ann:s3 cret@mirror.example/x", "https://********@mirror.example/x"),
        ("https://ann:s3/cret@mirror.example/x", "https://********@mirror.example/x"),
        ("ann:s3cret@mirror.example/x", "********@mirror.example/x"),
    ],
)
def test_an_address_that_is_none_is_told_without_its_password(given: str, told: str) -> None:
    with pytest.raises(WrongInput) as refused:
        network({"MPLSKIT_KERNEL_RELEASES": given})
    assert refused.value.message == f"MPLSKIT_KERNEL_RELEASES={told}: not an address"


def test_a_login_is_given_to_the_server_that_it_is_for() -> None:
    asked: list[str] = []

    class Handler(Quiet):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization", "none"))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"list")

    with listening(Handler) as port:
        settings = network({"MPLSKIT_KERNEL_MIRROR": f"http://ann:secret@127.0.0.1:{port}"})
        assert text_of(f"{settings.mirror}/x", settings) == "list"
    assert asked == ["Basic " + base64.b64encode(b"ann:secret").decode()]


def test_a_server_that_drips_is_left() -> None:
    class Handler(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.01)

    with listening(Handler) as port:
        place = f"http://127.0.0.1:{port}/x"
        settings = Network(timeout=1, tries=1)
        with pytest.raises(Unsteady, match="could not be fetched: tried once") as failed:
            text_of(place, settings)
    assert "no more than" in failed.value.detail


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("scheme", "opening", "told"),
    [
        ("http", b"HTTP/1.1 2", "no whole answer came in 1 s"),
        ("http", OK + b"X-Header: ", "no whole answer came in 1 s"),
        ("http", b"HTTP/1.1 301 Moved\r\nLocation: ", "no whole answer came in 1 s"),
        ("https", b"\x16\x03\x03\x40\x00", "nothing came for 0.5 s"),
        ("http", CHUNKED + b"0;", "broke off after 0 bytes: no more came in 1 s"),
        ("http", CHUNKED + b"1\r\na\r\n0\r\nX-Trailer: ", "broke off after 1 bytes: no more came in 1 s"),
    ],
    ids=["status", "header", "redirect", "TLS", "size of a chunk", "trailer"],
)
def test_a_server_that_drips_what_is_no_body_is_left(scheme: str, opening: bytes, told: str) -> None:
    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1 << 16)
            with suppress(OSError):
                self.request.sendall(opening)
                while True:
                    self.request.sendall(b"x")
                    time.sleep(0.05)

    with listening(Handler) as port, pytest.raises(Unsteady) as failed:
        text_of(f"{scheme}://127.0.0.1:{port}/x", Network(timeout=0.5, tries=1))
    assert failed.value.detail == f"1: {told}"
