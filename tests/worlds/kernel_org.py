"""A kernel.org of our own on 127.0.0.1: a real HTTP server with the real layout, signed by keys made for the test run.

It serves what lies in its folder, by ranges too, and misbehaves where a test says so.
"""

import hashlib
import json
import os
import re
import ssl
import subprocess
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from pathlib import Path

from tests.worlds.http_server import Quiet, listening

LINUX = "pub/linux/kernel/v6.x"
IPROUTE2 = "pub/linux/utils/net/iproute2"


@dataclass(frozen=True)
class Break:
    """The connection ends after so many bytes of the body."""

    after: int


@dataclass(frozen=True)
class Stall:
    """Nothing more comes after so many bytes of the body, until the server is closed."""

    after: int


@dataclass(frozen=True)
class Answer:
    """A status other than 200, with headers."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()


Fault = Break | Stall | Answer


@dataclass(frozen=True)
class Asked:
    """One request: the path without its first slash, the Range header, and which bytes were sent."""

    method: str
    path: str
    range: str
    first: int
    sent: int


@dataclass
class Server:
    """Serves `folder`; `faults` holds by file name what happens to its next requests, one each."""

    folder: Path
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: dict[str, Iterator[Fault]] = field(default_factory=lambda: defaultdict(lambda: iter(())))
    closing: threading.Event = field(default_factory=threading.Event)
    resumable: bool = True

    def misbehave(self, name: str, faults: Iterable[Fault]) -> None:
        """What the next requests for a file of this name get."""
        self.faults[name] = iter(faults)

    def asked_for(self, name: str) -> list[Asked]:
        """The requests for files of this name."""
        return [one for one in self.asked if one.path.endswith(f"/{name}")]


@contextmanager
def serving(folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """The server while it runs, on a free port; with `tls` it speaks nothing else."""
    server = Server(folder)

    class Handler(Quiet):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(body=True)

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def answer(self, body: bool) -> None:
            path = self.path.lstrip("/")
            file = server.folder / path
            fault = next(server.faults[file.name], None)
            content = file.read_bytes() if file.is_file() else b""
            if not isinstance(fault, Answer) and not file.is_file():
                fault = Answer(HTTPStatus.NOT_FOUND)
            first, status, headers = _part(server, self.headers, content)
            if isinstance(fault, Answer):
                first, status, headers, content = 0, fault.status, dict(fault.headers), b"<html>no</html>\n"
            elif status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                first, content = 0, b""
            rest = content[first:] if body else b""
            sent = rest[: fault.after] if isinstance(fault, Break | Stall) else rest
            server.asked.append(Asked(self.command, path, self.headers.get("Range", ""), first, len(sent)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            self.wfile.write(sent)
            self.wfile.flush()
            if isinstance(fault, Stall):
                server.closing.wait()
            if isinstance(fault, Break | Stall):
                self.close_connection = True

    with listening(Handler, tls) as port:
        server.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        try:
            yield server
        finally:
            server.closing.set()


def _part(server: Server, asked: Message, content: bytes) -> tuple[int, int, dict[str, str]]:
    """Where the answer begins, its status and headers: RFC 9110's Range and If-Range."""
    if not server.resumable:
        return 0, HTTPStatus.OK, {}
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Accept-Ranges": "bytes", "Last-Modified": "Tue, 14 Nov 2023 22:13:20 GMT"}
    wanted = re.fullmatch(r"bytes=(\d+)-", asked.get("Range", ""))
    if not wanted or asked.get("If-Range", tag) != tag:
        return 0, HTTPStatus.OK, headers
    first = int(wanted[1])
    if first >= len(content):
        no = {**headers, "Content-Range": f"bytes */{len(content)}"}
        return 0, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, no
    of = {"Content-Range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
    return first, HTTPStatus.PARTIAL_CONTENT, {**headers, **of}


@dataclass(frozen=True)
class Signer:
    """A key pair of the test run; `at` is when it signs (gpg's faked time), or empty for now."""

    home: Path
    fingerprint: str
    at: str = ""

    def detached(self, data: bytes) -> bytes:
        """The armored detached signature of some bytes."""
        return self._gpg("--armor", "--detach-sign", data=data)

    def clear(self, text: str) -> str:
        """The text, clear-signed as kernel.org's lists of checksums are."""
        return self._gpg("--clear-sign", data=text.encode()).decode()

    def public(self) -> bytes:
        """The armored public key."""
        return self._gpg("--armor", "--export", self.fingerprint)

    def revoked(self) -> bytes:
        """The armored public key as its owner would publish it after a theft."""
        saved = (self.home / "openpgp-revocs.d" / f"{self.fingerprint}.rev").read_bytes().replace(b":---", b"---")
        other = self.home / "revoked"
        other.mkdir(mode=0o700, exist_ok=True)
        for key in (self.public(), saved):
            _gpg(other, "--no-autostart", "--import", data=key)
        return _gpg(other, "--no-autostart", "--armor", "--export", self.fingerprint)

    def without_subkey(self) -> bytes:
        """The armored public key as its owner would publish it after a theft of the subkey that signs."""
        other = self.home / "subkey"
        other.mkdir(mode=0o700, exist_ok=True)
        unlocked = ("--pinentry-mode", "loopback", "--passphrase", "")
        _gpg(other, *unlocked, "--import", data=self._gpg(*unlocked, "--export-secret-keys", self.fingerprint))
        words = ("key 1", "revkey", "y", "1", "", "y", "save", "")
        _gpg(other, *unlocked, "--command-fd", "0", "--edit-key", self.fingerprint, data="\n".join(words).encode())
        return _gpg(other, "--armor", "--export", self.fingerprint)

    def pin(self, folder: Path) -> None:
        """Put the key where mplskit looks for it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{self.fingerprint}.asc").write_bytes(self.public())

    def _gpg(self, *words: str, data: bytes = b"") -> bytes:
        faked = ("--faked-system-time", self.at) if self.at else ()
        return _gpg(self.home, *faked, "--local-user", self.fingerprint, *words, data=data)


@contextmanager
def keys(home: Path) -> Iterator[dict[str, Signer]]:
    """Key pairs: `developer`, `stranger`, `autosigner`, `expired` (2020 to 2021), `stolen`; `subkey` signs with one."""
    home.mkdir(mode=0o700, exist_ok=True)
    try:
        yield {
            "developer": _generate(home, "Ada Developer (test) <ada@kernel.test>", "never"),
            "stranger": _generate(home, "Sam Stranger <sam@kernel.test>", "never"),
            "autosigner": _generate(home, "Test checksum autosigner <auto@kernel.test>", "never"),
            "expired": _generate(home, "Eve Expired <eve@kernel.test>", "20210101T000000", "20200101T000000"),
            "stolen": _generate(home, "Stan Stolen <stan@kernel.test>", "never"),
            "subkey": _with_subkey(home, "Sue Subkey <sue@kernel.test>"),
        }
    finally:
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


def _generate(home: Path, user: str, expires: str, at: str = "") -> Signer:
    faked = ("--faked-system-time", at) if at else ()
    said = _gpg(
        home, *faked, "--status-fd", "1", "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", expires
    )
    [fingerprint] = re.findall(r"KEY_CREATED P (\w+)", said.decode())
    return Signer(home, fingerprint, "20200601T000000" if at else "")


def _with_subkey(home: Path, user: str) -> Signer:
    """A key pair whose primary key certifies alone."""
    unlocked = ("--pinentry-mode", "loopback", "--passphrase", "")
    said = _gpg(home, *unlocked, "--status-fd", "1", "--quick-gen-key", user, "ed25519", "cert", "never")
    [fingerprint] = re.findall(r"KEY_CREATED P (\w+)", said.decode())
    _gpg(home, *unlocked, "--quick-add-key", fingerprint, "ed25519", "sign", "never")
    return Signer(home, fingerprint)


def _gpg(home: Path, *words: str, data: bytes = b"") -> bytes:
    argv = ["gpg", "--batch", "--quiet", "--no-options", "--homedir", str(home), *words]
    done = subprocess.run(argv, input=data, capture_output=True, check=False, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def publish(root: Path, folder: str, name: str, tar: bytes, signer: Signer | None, autosigner: Signer) -> None:
    """Put a release where kernel.org has it: compressed, signed uncompressed, and in the signed list of checksums."""
    place = root / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.tar.xz").write_bytes(subprocess.run(["xz", "-c"], input=tar, stdout=-1, check=True).stdout)
    (place / f"{name}.tar.sign").unlink(missing_ok=True)
    if signer:
        (place / f"{name}.tar.sign").write_bytes(signer.detached(tar))
    list_checksums(place, autosigner)


def list_checksums(place: Path, autosigner: Signer, wrong: str = "") -> None:
    """Write the signed list of a folder's archives; the one that is named `wrong` with the digest of nothing."""
    rows = [
        f"{hashlib.sha256(b'' if file.name == wrong else file.read_bytes()).hexdigest()}  {file.name}\n"
        for file in sorted(place.glob("*.tar.xz"))
    ]
    (place / "sha256sums.asc").write_text(autosigner.clear("".join(rows)))


def front_page(root: Path, *releases: tuple[str, str, bool]) -> None:
    """Write releases.json: moniker, version, and whether it is at its end."""
    entries = [
        {
            "moniker": moniker,
            "version": version,
            "iseol": eol,
            "released": {"timestamp": 1763158400, "isodate": "2025-11-14"},
            "source": f"https://cdn.kernel.org/pub/linux/kernel/v6.x/linux-{version}.tar.xz",
        }
        for moniker, version, eol in releases
    ]
    latest = next(version for moniker, version, _ in releases if moniker == "stable")
    (root / "releases.json").write_text(json.dumps({"latest_stable": {"version": latest}, "releases": entries}))
