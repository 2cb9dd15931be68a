"""A Debian archive of our own, signed with a test key; a proxy that serves it; a host's apt that knows no other."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from tests.worlds.http_server import Quiet, listening
from tests.worlds.package_file import make_deb

# Nobody answers to this name: what is fetched from there came through the proxy.
MIRROR = "http://mirror.invalid/"


def sh(*argv: str | Path, cwd: Path, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> bytes:
    """The output of a command that must succeed."""
    done = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **(env or {})}, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class Keys:
    """A GnuPG home with secret keys that never leave the test."""

    home: Path

    def make(self, name: str) -> Path:
        """A new key; returns its public half, as apt's Signed-By wants it."""
        self._gpg(
            "--passphrase", "", "--quick-generate-key", f"{name} <{name}@mirror.invalid>", "ed25519", "sign", "never"
        )
        public = self.home / f"{name}.pgp"
        public.write_bytes(self._gpg("--export", f"{name}@mirror.invalid"))
        return public

    def armored(self, name: str) -> str:
        """The public half of a key as text."""
        return self._gpg("--armor", "--export", f"{name}@mirror.invalid").decode()

    def sign(self, name: str, text: bytes) -> bytes:
        """A text with the signature of a key around it, as InRelease files have it."""
        return self._gpg("--local-user", f"{name}@mirror.invalid", "--clearsign", stdin=text)

    def _gpg(self, *words: str, stdin: bytes = b"") -> bytes:
        return sh("gpg", "--batch", "--quiet", *words, cwd=self.home, env={"GNUPGHOME": str(self.home)}, stdin=stdin)


@contextmanager
def keys(home: Path) -> Iterator[Keys]:
    """Keys in an empty folder, whose agent has ended when the block is left."""
    home.mkdir(mode=0o700, exist_ok=True)
    try:
        yield Keys(home)
    finally:
        sh("gpgconf", "--kill", "all", cwd=home, env={"GNUPGHOME": str(home)})


@dataclass(frozen=True)
class DebianArchive:
    """Folders `debian/` and `debian-security/`, each with the suites that were published there."""

    folder: Path
    keys: Keys

    def add_package(self, part: str, suite: str, name: str, version: str, files: Mapping[str, Path]) -> Path:
        """A binary package with these files, in the pool of one suite."""
        pool = self.folder / part / "pool" / suite
        pool.mkdir(parents=True, exist_ok=True)
        return make_deb(pool, name, files, version=version)

    def add_source(self, part: str, suite: str, tree: Path) -> None:
        """A source package of a tree with packaging in it (format 3.0, native), in the pool of one suite."""
        pool = self.folder / part / "pool" / suite
        pool.mkdir(parents=True, exist_ok=True)
        sh("dpkg-source", "--build", tree, cwd=pool)

    def publish(self, part: str, suite: str, key: str, origin: str = "Debian") -> None:
        """Make the indices of a suite and sign them."""
        root = self.folder / part
        dist = root / "dists" / suite
        shutil.rmtree(dist, ignore_errors=True)
        architecture = sh("dpkg", "--print-architecture", cwd=root).decode().strip()
        for index, tool in ((f"binary-{architecture}/Packages", "packages"), ("source/Sources", "sources")):
            (dist / "main" / index).parent.mkdir(parents=True)
            (dist / "main" / index).write_bytes(sh("apt-ftparchive", tool, f"pool/{suite}", cwd=root))
        facts = {
            "Origin": origin,
            "Codename": suite,
            "Suite": suite,
            "Components": "main",
            "Architectures": architecture,
        }
        options = [
            word for name, value in facts.items() for word in ("-o", f"APT::FTPArchive::Release::{name}={value}")
        ]
        release = sh("apt-ftparchive", *options, "release", f"dists/{suite}", cwd=root)
        (dist / "InRelease").write_bytes(self.keys.sign(key, release))


@dataclass
class Proxy:
    """Serves a folder as http://mirror.invalid/.

    `asked` are the paths that were asked for; `answers` has the status for each path that ends like its key; the answer
    to a path that ends like `stall_at` waits for `go_on`.
    """

    folder: Path
    port: int = 0
    asked: list[str] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    stalled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    stall_at: str = ""


@contextmanager
def proxy(folder: Path) -> Iterator[Proxy]:
    """A running proxy on a free port of 127.0.0.1."""
    state = Proxy(folder)

    class Handler(Quiet):
        def do_GET(self) -> None:
            # Apt hands a login on to a proxy as it stands in its sources.
            address = re.sub(r"//[^/]*@", "//", self.path)
            path = unquote(address.removeprefix(MIRROR))
            state.asked.append(path)
            if state.stall_at and path.endswith(state.stall_at):
                state.stalled.set()
                state.go_on.wait(30)
            forced = next((status for end, status in state.answers.items() if path.endswith(end)), 0)
            file = state.folder / path
            status = forced or (200 if address.startswith(MIRROR) and file.is_file() else 404)
            body = file.read_bytes() if status == 200 else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except BrokenPipeError:
                pass

    with listening(Handler) as state.port:
        try:
            yield state
        finally:
            state.go_on.set()


def host_apt(folder: Path, port: int, key: Path) -> dict[str, str]:
    """A host's own apt below `folder`: a bookworm that reaches its mirror through a proxy, with a hook after updates.

    Returns the environment that makes apt see it.
    """
    etc = folder / "etc"
    for name in (
        "etc/sources.list.d",
        "etc/apt.conf.d",
        "etc/preferences.d",
        "lists/partial",
        "cache/archives/partial",
    ):
        (folder / name).mkdir(parents=True)
    common = f"Types: deb\nComponents: main\nSigned-By: {key}\n"
    (etc / "sources.list.d" / "debian.sources").write_text(
        f"{common}URIs: {MIRROR}debian\nSuites: bookworm bookworm-updates\n\n"
        f"{common}URIs: {MIRROR}debian-security\nSuites: bookworm-security\n"
    )
    (folder / "apt.conf").write_text(
        f'Dir::Etc "{etc}";\nDir::State::Lists "{folder}/lists";\nDir::Cache "{folder}/cache";\n'
        f'Acquire::http::Proxy "http://127.0.0.1:{port}";\nAcquire::Retries "0";\nAPT::Sandbox::User "root";\n'
        f'APT::Update::Post-Invoke {{ "echo hook >> {folder}/hooks"; }};\n'
    )
    environment = {"APT_CONFIG": str(folder / "apt.conf"), "http_proxy": "", "no_proxy": ""}
    update_host(environment)
    return environment


def update_host(environment: Mapping[str, str]) -> None:
    """`apt-get update`, as the administrator of the host runs it."""
    sh("apt-get", "-q", "-o", "APT::Update::Error-Mode=any", "update", cwd=Path("/"), env=environment)
