"""A host whose apt knows a Debian of ours (bookworm and trixie) through a proxy, and mplskit on that host."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.golden import assert_golden
from tests.worlds import debian_archive
from tests.worlds.debian_archive import DebianArchive, Proxy
from tests.worlds.fake_linux import pack, plant

CHANGELOG = "iproute2 ({version}) unstable; urgency=medium\n\n  * x\n\n -- x <x@x>  Mon, 08 May 2023 19:49:38 +0100\n"
CONTROL = """\
Source: iproute2
Maintainer: x <x@x>
Standards-Version: 4.6.2

Package: iproute2
Architecture: any
Description: x
"""


@dataclass(frozen=True)
class World:
    """The archive, the proxy that serves it, the host's apt, and mplskit on that host."""

    archive: DebianArchive
    proxy: Proxy
    host: dict[str, str]
    mplskit: CommandLine

    def fetch(self, spec: str) -> "subprocess.CompletedProcess[str]":
        return self.mplskit("kernel.fetch", "--source", spec, "--json")

    def roots(self) -> list[Path]:
        """The sets of lists in the cache, complete or not."""
        return sorted((self.mplskit.folder / "cache" / "apt").glob("*/*/[0-9]*"))

    def trees(self) -> list[str]:
        """The trees in the cache, and whatever else lies beside them."""
        folder = self.mplskit.folder / "cache" / "sources"
        return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []

    def package(self, version: str) -> Path:
        return next(self.archive.folder.glob(f"*/pool/*/linux-source-*_{version}_all.deb"))


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianArchive]:
    """bookworm (the host's) and trixie, the latter without trixie-updates. No other suite."""
    folder = tmp_path_factory.mktemp("debian")
    linux = {}
    for name in ("6.1", "6.12"):
        tree = plant(folder / "origin" / name)
        makefile = tree / "Makefile"
        makefile.chmod(0o644)
        makefile.write_text(makefile.read_text() + f"# {name}\n")
        packed = f"linux-source-{name}.tar.xz"
        linux[name] = {f"usr/src/{packed}": pack(tree, folder / packed)}
    with debian_archive.keys(tmp_path_factory.mktemp("k")) as keys:
        keys.make("archive")
        keys.make("stranger")
        archive = DebianArchive(folder, keys)
        for part, suite, series, version in (
            ("debian", "bookworm", "6.1", "6.1.176-1"),
            ("debian-security", "bookworm-security", "6.1", "6.1.192-2"),
            ("debian", "trixie", "6.12", "6.12.94-1"),
            ("debian", "trixie", "6.12", "6.12.107-1"),
            ("debian-security", "trixie-security", "6.12", "6.12.117-1"),
        ):
            archive.add_package(part, suite, f"linux-source-{series}", version, linux[series])
        for suite, version in (("bookworm", "6.1.0-3"), ("trixie", "6.15.0-1")):
            tree = folder / "origin" / f"iproute2-{version}"
            (tree / "debian" / "source").mkdir(parents=True)
            (tree / "debian" / "source" / "format").write_text("3.0 (native)\n")
            (tree / "debian" / "changelog").write_text(CHANGELOG.format(version=version.replace("-", "+")))
            (tree / "debian" / "control").write_text(CONTROL)
            (tree / "Makefile").touch()
            archive.add_source("debian", suite, tree)
        archive.add_package("debian", "bookworm-updates", "tzdata", "2024a", {})
        for suite in ("bookworm", "bookworm-updates", "trixie"):
            archive.publish("debian", suite, "archive")
        for suite in ("bookworm-security", "trixie-security"):
            archive.publish("debian-security", suite, "archive")
        yield archive


@pytest.fixture
def world(published: DebianArchive, tmp_path: Path) -> Iterator[World]:
    archive = DebianArchive(tmp_path / "mirror", published.keys)
    for part in ("debian", "debian-security"):
        shutil.copytree(published.folder / part, archive.folder / part)
    with debian_archive.proxy(archive.folder) as proxy:
        host = debian_archive.host_apt(tmp_path / "host", proxy.port, published.keys.home / "archive.pgp")
        proxy.asked.clear()
        (tmp_path / "host" / "hooks").unlink()
        yield World(archive, proxy, host, CommandLine(tmp_path, host))


def assert_told(case: str, failed: "subprocess.CompletedProcess[str]", code: int, *apt_says: str) -> None:
    """The error is told in the words of a golden file; apt's own, which differ between its releases, hold these."""
    assert (failed.returncode, failed.stdout) == (code, ""), failed.stderr
    lines = [line for line in failed.stderr.splitlines(keepends=True) if not line.startswith(("…", "✗", "✓"))]
    detail = "".join(line for line in lines if line.startswith("  | "))
    assert [word for word in apt_says if word not in detail] == [], detail
    text = "".join(lines)
    if apt_says:
        text = re.sub(r"(  \| .*\n)+", "  | WHAT APT SAID\n", text)
    assert_golden(case, text, {})
