"""kernel.org over TLS, through proxies, and with settings that cannot be right."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest

from tests.golden import assert_golden
from tests.worlds.kernel_org import LINUX, Answer, serving
from tests.worlds.kernel_org_pinned import ARCHIVE, SIGNATURE, World


@contextmanager
def proxy(port: int) -> Iterator[tuple[str, list[str]]]:
    """An HTTP proxy that knows CONNECT alone, and takes every name to a port of this machine: its address, and the
    first lines of what it was asked."""
    asked: list[str] = []

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head:
                head += self.request.recv(1)
            asked.append(head.split(b"\r\n")[0].decode())
            with socket.create_connection(("127.0.0.1", port)) as server:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_pour, args=(server, self.request))
                back.start()
                _pour(self.request, server)
                back.join()

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}", asked
        finally:
            listening.shutdown()
            thread.join()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while block := source.recv(1 << 16):
            target.sendall(block)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of the name kernel.test, with its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "kernel.test.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    argv += ["-subj", "/CN=kernel.test", "-addext", "subjectAltName=DNS:kernel.test"]
    subprocess.run([*argv, "-keyout", file, "-out", file.with_suffix(".crt")], check=True, capture_output=True)
    file.write_text(file.read_text() + file.with_suffix(".crt").read_text())
    return file


@pytest.fixture
def tls(world: World, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The world behind TLS and a proxy, which alone knows where kernel.test is: what the proxy was asked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(world.root, context) as server, proxy(int(server.url.rpartition(":")[2])) as (address, asked):
        world.server = server
        monkeypatch.setenv("https_proxy", address)
        monkeypatch.setenv("MPLSKIT_KERNEL_MIRROR", "https://kernel.test/pub/linux")
        monkeypatch.setenv("MPLSKIT_KERNEL_RELEASES", "https://kernel.test/releases.json")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        yield asked


def told(world: World, case: str, text: str) -> None:
    assert_golden(f"network-{case}", text.replace(world.server.url, "https://mirror"), {world.folder: "/FOLDER"})


def test_the_proxy_of_the_environment_is_used(world: World, tls: list[str]) -> None:
    done = world.fetch("6.1")
    assert done.code == 0, done.err
    assert done.json["origin"].startswith(f"https://kernel.test/{LINUX}/{ARCHIVE}, signed by ")
    assert set(tls) == {"CONNECT kernel.test:443 HTTP/1.0"} or set(tls) == {"CONNECT kernel.test:443 HTTP/1.1"}
    assert len(world.server.asked) == 4


def test_no_proxy_is_honoured(world: World, tls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "kernel.test")
    failed = world.fetch()
    assert failed.code == 4 and "the name of the server is not known here" in failed.error
    assert tls == []


def test_a_proxy_that_is_gone_is_named_and_asked_again(
    world: World, tls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    failed = world.fetch()
    assert failed.code == 4
    told(world, "proxy-gone", failed.error)


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(
    world: World, tls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    failed = world.fetch()
    assert (failed.code, len(tls), world.server.asked) == (4, 1, [])
    assert (
        "https://kernel.test/pub/linux/kernel/v6.x/linux-6.1.999.tar.sign could not be fetched: TLS: " in failed.error
    )
    assert "hint: look at this machine's clock and its ca-certificates" in failed.error


def test_a_server_that_leads_out_of_tls_is_not_followed(world: World, tls: list[str]) -> None:
    with serving(world.root) as plain:
        where = f"{plain.url}/{LINUX}/{SIGNATURE}"
        world.server.misbehave(SIGNATURE, [Answer(302, (("Location", where),))])
        failed = world.fetch()
        assert plain.asked == []
    assert failed.code == 4
    told(world, "redirect-to-http", failed.error.replace(plain.url, "http://elsewhere"))
    assert world.fetch().code == 0


def test_a_server_that_leads_elsewhere_is_followed(world: World) -> None:
    shutil.copytree(world.root / "pub", world.root / "mirror")
    world.server.misbehave(ARCHIVE, [Answer(302, (("Location", f"/mirror/linux/kernel/v6.x/{ARCHIVE}"),))])
    assert world.fetch().code == 0
    assert [one.path for one in world.server.asked_for(ARCHIVE)][-1] == f"mirror/linux/kernel/v6.x/{ARCHIVE}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MPLSKIT_KERNEL_MIRROR", "cdn.kernel.org/pub/linux"),
        ("MPLSKIT_KERNEL_RELEASES", "ftp://kernel.org/releases.json"),
        ("MPLSKIT_NETWORK_TIMEOUT", "soon"),
        ("MPLSKIT_NETWORK_TRIES", "2.5"),
        ("MPLSKIT_NETWORK_WAIT", "-1"),
        ("MPLSKIT_KEYS", "/nonexistent"),
    ],
)
def test_a_setting_that_cannot_be_right_is_told(
    world: World, name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    failed = world.fetch()
    assert (failed.code, world.server.asked_for(ARCHIVE)) == (2, [])
    told(world, name.lower().replace("_", "-").removeprefix("mplskit-").removeprefix("network-"), failed.error)
