"""A fresh kernel.org for each test, with pinned keys, a cache, and mplskit's command line on top of them."""

import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.worlds.fake_linux import pack, plant
from tests.worlds.kernel_org import LINUX, Server, Signer, front_page, keys, publish, serving

ARCHIVE = "linux-6.1.999.tar.xz"
SIGNATURE = "linux-6.1.999.tar.sign"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass(frozen=True)
class Run:
    """How a command line ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> str:
        """What stands on stderr from the error on."""
        return self.err[self.err.index("mplskit: error") :]


@dataclass
class World:
    """A fresh kernel.org, pinned keys and a cache."""

    server: Server
    root: Path
    keys: dict[str, Signer]
    tar: bytes
    folder: Path
    capture: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Run:
        # All tasks' modules, which the other tests beside conftest.py can do without.
        from mplskit.tasks import program

        self.capture.readouterr()
        code: object = 0
        try:
            program.run(["mplskit", *words])
        except SystemExit as left:
            code = left.code or 0
        out, err = self.capture.readouterr()
        assert isinstance(code, int)
        return Run(code, out, err)

    def fetch(self, wanted: str = "6.1.999", *flags: str) -> Run:
        return self("kernel.fetch", "--source", f"kernel.org:{wanted}", "--json", *flags)

    def publish(self, tar: bytes, signer: str = "developer") -> None:
        publish(self.root, LINUX, "linux-6.1.999", tar, self.keys[signer] if signer else None, self.keys["autosigner"])

    def cached(self) -> list[str]:
        """Every file and folder in the cache, two levels deep, but for locks."""
        cache = self.folder / "cache"
        found = [path for pattern in ("*/*", "*/.*") for path in cache.glob(pattern)]
        return sorted({str(path.relative_to(cache)) for path in found if path.suffix != ".lock"})

    @property
    def archive(self) -> Path:
        return self.root / LINUX / ARCHIVE


@pytest.fixture(scope="session")
def kernel_org_signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Signer]]:
    with keys(tmp_path_factory.mktemp("g")) as made:
        yield made


@pytest.fixture(scope="session")
def kernel_org_root(
    tmp_path_factory: pytest.TempPathFactory, kernel_org_signers: dict[str, Signer]
) -> tuple[Path, bytes]:
    """The folder of a kernel.org, and the tar of its Linux 6.1.999, which compresses to some 300 kB."""
    folder = tmp_path_factory.mktemp("kernel.org")
    tree = plant(folder / "origin")
    tree.chmod(0o755)
    (tree / "ballast").write_bytes(random.Random(61999).randbytes(300_000))
    tar = pack(tree, folder / "linux.tar").read_bytes()
    publish(
        folder / "root", LINUX, "linux-6.1.999", tar, kernel_org_signers["developer"], kernel_org_signers["autosigner"]
    )
    front_page(
        folder / "root",
        ("mainline", "6.19-rc6", False),
        ("stable", "6.18.1", False),
        ("longterm", "6.12.58", False),
        ("longterm", "6.1.999", False),
        ("longterm", "6.1.998", True),
        ("linux-next", "next-20251114", False),
    )
    return folder / "root", tar


@pytest.fixture
def world(
    tmp_path: Path,
    kernel_org_root: tuple[Path, bytes],
    kernel_org_signers: dict[str, Signer],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[World]:
    root, tar = kernel_org_root
    shutil.copytree(root, tmp_path / "root")
    kernel_org_signers["developer"].pin(tmp_path / "keys" / "linux")
    kernel_org_signers["developer"].pin(tmp_path / "keys" / "iproute2")
    kernel_org_signers["autosigner"].pin(tmp_path / "keys" / "checksums")
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with serving(tmp_path / "root") as server:
        settings = {
            "MPLSKIT_CACHE": str(tmp_path / "cache"),
            "MPLSKIT_KEYS": str(tmp_path / "keys"),
            "MPLSKIT_KERNEL_MIRROR": f"{server.url}/pub/linux",
            "MPLSKIT_KERNEL_RELEASES": f"{server.url}/releases.json",
            "MPLSKIT_NETWORK_TIMEOUT": "20",
            "MPLSKIT_NETWORK_TRIES": "3",
            "MPLSKIT_NETWORK_WAIT": "0.01",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield World(server, tmp_path / "root", kernel_org_signers, tar, tmp_path, capsys)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def good(world: World) -> list[str]:
    """What the cache holds after a good fetch, and nothing else."""
    return ["kernel.org/linux-6.1.999.json", f"sources/linux-{sha256(world.archive)[:24]}"]
