"""Real git repositories with signed tags, and a smart HTTP server for them that can be told to fail."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.worlds.http_server import Quiet, listening

# 2023-11-14 22:13:20 UTC
DATE = "1700000000 +0000"
IDENTITY = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A Developer",
    "GIT_AUTHOR_EMAIL": "developer@example.org",
    "GIT_AUTHOR_DATE": DATE,
    "GIT_COMMITTER_NAME": "A Developer",
    "GIT_COMMITTER_EMAIL": "developer@example.org",
    "GIT_COMMITTER_DATE": DATE,
}


@dataclass(frozen=True)
class Signers:
    """Two OpenPGP keys in a home of their own: `pinned` is in the folder `keys`, `stranger` is not (fingerprints)."""

    home: Path
    keys: Path
    pinned: str
    stranger: str


@contextmanager
def signers(folder: Path) -> Iterator[Signers]:
    # The path of gpg-agent's socket may have 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="gpg-"))
    environment = {**os.environ, "GNUPGHOME": str(home)}

    def gpg(*words: str) -> str:
        argv = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", *words]
        return subprocess.run(argv, env=environment, check=True, capture_output=True, text=True).stdout

    try:
        found = []
        for name in ("Release Signer", "A Stranger"):
            gpg("--quick-generate-key", f"{name} <key@example.org>", "ed25519", "sign", "never")
            listed = gpg("--list-keys", "--with-colons", name)
            found.append(next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")))
        (folder / "linux").mkdir(parents=True)
        (folder / "linux" / f"{found[0]}.asc").write_text(gpg("--armor", "--export", found[0]))
        yield Signers(home, folder, *found)
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=True)
        shutil.rmtree(home)


@dataclass(frozen=True)
class Repository:
    """A bare repository at `path`."""

    path: Path
    signers: Signers

    def git(self, *words: str | Path, feed: bytes = b"") -> str:
        environment = {**os.environ, **IDENTITY, "GNUPGHOME": str(self.signers.home)}
        done = subprocess.run(
            ["git", *words], cwd=self.path, env=environment, input=feed, check=True, capture_output=True
        )
        return done.stdout.decode().strip()

    def commit(self, tree: Path, message: str, parent: str = "") -> str:
        """Commit a folder's files as they are; the hash of the commit."""
        (self.path / "info" / "attributes").write_text("* -text -eol -ident -filter !working-tree-encoding\n")
        self.git("-C", tree, f"--git-dir={self.path}", f"--work-tree={tree}", "add", "--all", "--force")
        written = self.git("write-tree")
        return self.git("commit-tree", written, "-m", message, *(("-p", parent) if parent else ()))

    def sign(self, name: str, commit: str, key: str) -> str:
        """A signed tag; the hash of its object."""
        self.git("tag", "--sign", f"--local-user={key}", "-m", f"Linux {name}", name, commit)
        return self.git("rev-parse", f"refs/tags/{name}")

    def change(self, name: str, old: bytes, new: bytes) -> None:
        """Change the text of a tag, and leave its signature as it was."""
        environment = {**os.environ, **IDENTITY}
        raw = subprocess.run(
            ["git", "cat-file", "tag", name], cwd=self.path, env=environment, check=True, capture_output=True
        ).stdout
        assert old in raw
        changed = self.git("hash-object", "-t", "tag", "-w", "--stdin", feed=raw.replace(old, new))
        self.git("update-ref", f"refs/tags/{name}", changed)


@dataclass
class Server:
    """`fails` are the answers to the next requests, before all goes well: a status, or 0 for none at all."""

    port: int = 0
    fails: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(root: Path, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Serve the repositories below `root` through git's own http-backend."""
    server = Server()

    class Handler(Quiet):
        protocol_version = "HTTP/1.0"

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            server.asked.append(f"{self.command} {self.path}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if server.fails:
                status = server.fails.pop(0)
                if status:
                    self.send_error(status)
                else:
                    server.over.wait(60)
                return
            path, _, query = self.path.partition("?")
            environment = {
                **os.environ,
                **IDENTITY,
                **(settings or {}),
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_ADDR": "127.0.0.1",
            }
            done = subprocess.run(
                ["git", "http-backend"], input=body, env=environment, capture_output=True, check=False
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    with listening(Handler) as server.port:
        try:
            yield server
        finally:
            server.over.set()
