"""The exact words on stderr for each error that users meet in the frame, sources, configurations, kernels and iproute2.

Each case leaves a task with an error; its text is tests/unit/golden/CASE.txt, its exit code stands here. See
tests/golden.py for how the files are written anew.
"""

import errno
import os
import re
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from invoke.collection import Collection
from invoke.context import Context
from invoke.program import Program

from mplskit import cli, process
from mplskit.config import needed_tools
from mplskit.config.config_request import make_request, parse_set
from mplskit.config.configure import Configured, demand, read_back
from mplskit.config.flags import ConfigFlags
from mplskit.config.fragment import Setting
from mplskit.config.named_files import settled
from mplskit.config.options import find_named
from mplskit.config.verdict import Link, State, Verdict
from mplskit.debian.build_dependencies import unmet_dependencies
from mplskit.debian.package_file import packaged_config, read_package
from mplskit.errors import NotSo, OutsideFailed
from mplskit.files import locked, need_space
from mplskit.iproute2.build import delivered
from mplskit.iproute2.packaging import changelog_entry
from mplskit.iproute2.prove import prove
from mplskit.kernel.build import space
from mplskit.kernel.build_request import make_packaging
from mplskit.kernel.flags import PackagingFlags
from mplskit.kernel.release import Part
from mplskit.kernel.release import demand as demand_release
from mplskit.paths import Workspace
from mplskit.sources.debian_source import newest
from mplskit.sources.iproute2_source import fetch_iproute2
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import parse_spec
from mplskit.whole_number import whole_number
from tests.golden import FOLDER, assert_golden
from tests.worlds.package_file import make_deb

HERE = Path(__file__).parent
ZEROS = "0" * 64


def fetch(spec: str, insecure: bool = False) -> None:
    fetch_kernel(parse_spec(spec, insecure), Path("cache").absolute())


def kernel_files(folder: Path, makefile: str) -> Path:
    for name in ("Kconfig", "Kbuild", "scripts/kconfig/Makefile"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "Makefile").write_text(makefile)
    return folder


def truncated() -> None:
    Path("big").write_bytes(os.urandom(200_000))
    with tarfile.open("whole.tar.xz", "w:xz") as archive:
        archive.add("big")
    Path("linux.tar.xz").write_bytes(Path("whole.tar.xz").read_bytes()[:100_000])
    fetch("file:linux.tar.xz", insecure=True)


def not_tar() -> None:
    Path("linux.tar.xz").write_text("<html>404 Not Found</html>\n")
    fetch("file:linux.tar.xz", insecure=True)


def no_kernel() -> None:
    Path("iproute2-6.1.0").mkdir()
    Path("iproute2-6.1.0/Makefile").touch()
    with tarfile.open("iproute2.tar", "w") as archive:
        archive.add("iproute2-6.1.0")
    fetch("file:iproute2.tar", insecure=True)


def hostile() -> None:
    Path("linux").mkdir()
    Path("linux/out").symlink_to("../../../etc")
    with tarfile.open("linux.tar.xz", "w:xz") as archive:
        archive.add("linux")
    fetch("file:linux.tar.xz", insecure=True)


def nobody_vouches() -> None:
    Path("linux.tar.xz").write_bytes(b"abc")
    fetch("file:linux.tar.xz")


def wrong_digest() -> None:
    Path("linux.tar.xz").write_bytes(b"abc")
    fetch(f"file:linux.tar.xz#sha256={ZEROS}")


def tree(spec_of: Callable[[], str]) -> Callable[[], None]:
    return lambda: fetch(spec_of())


def built_in() -> None:
    kernel_files(Path("linux"), "VERSION = 6\nPATCHLEVEL = 1\nSUBLEVEL = 0\n")
    Path("linux/.config").touch()
    fetch("tree:linux")


def no_version() -> None:
    kernel_files(Path("linux"), "VERSION = 6\nPATCHLEVEL = x\n")
    fetch("tree:linux")


def fragment(text: bytes) -> Callable[[], None]:
    def body() -> None:
        Path("my.config").write_bytes(text)
        make_request(ConfigFlags(fragment=("my.config",)))

    return body


def files_not_there() -> None:
    Path("mine.pem").touch()
    asked = [Setting("SYSTEM_TRUSTED_KEYS", '"mine.pem"', "my.config:3"), parse_set("EXTRA_FIRMWARE=i915/x.bin")]
    settled({"EXTRA_FIRMWARE_DIR": '"/no/firmware"'}, "guest", asked, Path("/usr/src/linux"))


def lost() -> Configured:
    return Configured(
        Path(".config"),
        (
            Verdict(parse_set("MPLS=n"), "n", State.GRANTED),
            Verdict(
                Setting("MPLS_ROUTING", "m", "options/mpls.config:13"),
                "n",
                State.UNMET,
                "needs MPLS=y, which is n (net/mpls/Kconfig:6): asked by --set MPLS=n",
                (
                    Link("MPLS_ROUTING", "m", "n", "net/mpls/Kconfig:26"),
                    Link("MPLS", "y", "n", "net/mpls/Kconfig:6", 1, "asked by --set MPLS=n"),
                ),
                (("MPLS=y",),),
                (("--set MPLS=n",),),
            ),
            Verdict(parse_set("MPLS_IPTUNEL=y"), "n", State.UNKNOWN, "this kernel has no such symbol"),
            Verdict(parse_set("LWTUNNEL=y"), "m", State.DEMOTED),
            Verdict(Setting("NET", "n", "--set NET=n"), "y", State.FORCED, "selected by WIRELESS (net/Kconfig:6)"),
        ),
        (),
        "guest",
        "make allnoconfig",
    )


def tools_missing() -> None:
    Path("Makefile").write_text("KLZOP = lzop-of-nobody\nLZ4\t\t= lz4-of-nobody\n")
    needed_tools.demand({"KERNEL_LZO": "y", "INITRAMFS_COMPRESSION_LZ4": "y", "MODULES": "y"}, Path())


def release(local: str) -> None:
    asked = f"LOCALVERSION, asked by --set LOCALVERSION={local}"
    parts = [
        Part("6.1.192", "the version in the tree's Makefile, EXTRAVERSION with it"),
        Part("", "the file localversion-rt of the source tree"),
        Part(local, asked),
        Part("-mpls-1a2b3c4d", "the suffix (--suffix)"),
    ]
    demand_release("".join(part.text for part in parts), parts)


def log_of_a_build() -> None:
    lacks = unmet_dependencies(
        "dpkg-checkbuilddeps: error: Unmet build dependencies: libdw-dev:native debhelper-compat (= 12)\n"
    )
    assert lacks
    raise lacks


def deb(name: str, *files: str) -> Path:
    """A tiny package with empty files."""
    return make_deb(Path(), name, dict.fromkeys(files, ""), file=f"{name}.deb")


def held_lock() -> None:
    with locked(Path("build/lock")), locked(Path("build/lock"), wait=False):
        pass


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


VARYING = {
    r"has [0-9]+ MiB free": "has N MiB free",
    r"\.linux-[0-9a-f]{24}\.partial-[0-9]+": ".linux-DIGEST.partial-PID",
    rf"{re.escape(tempfile.gettempdir())}/tmp\w+": "/tmp/FOLDER",
}


def here() -> Workspace:
    return Workspace.here()


CASES: dict[str, tuple[int, Callable[[], object]]] = {
    "frame-internal-fault": (1, raising(KeyError("label"))),
    "frame-interrupted": (130, raising(KeyboardInterrupt())),
    "frame-full-disk": (3, raising(OSError(errno.ENOSPC, "No space left on device", "build/kernel/x"))),
    "frame-no-permission": (3, raising(PermissionError(errno.EACCES, "Permission denied", "dist/metadata.json"))),
    "frame-no-space-before": (3, lambda: need_space(Path("build"), 1 << 60, "building a kernel")),
    "frame-held-lock": (3, held_lock),
    "frame-number": (2, lambda: whole_number("many", "--jobs", 1, 1024)),
    "frame-command-failed": (
        5,
        lambda: process.run(["sh", "-c", "echo 'no rule' >&2; exit 2"], log=Path("build/a.log")),
    ),
    "frame-command-missing": (3, lambda: process.run(["no-such-program"])),
    "frame-tools-missing": (3, lambda: process.require("no-flex", "no-bison", package="flex bison")),
    "frame-command-late": (
        4,
        lambda: process.run(["sh", "-c", "echo begun; sleep 9"], timeout=0.2, failure=OutsideFailed, hint="is it up?"),
    ),
    "frame-command-full-disk": (
        3,
        lambda: process.run(["dd", "if=/dev/zero", "of=/dev/full", "count=1", "status=none"]),
    ),
    "sources-unknown-scheme": (2, lambda: fetch("ftp:linux.tar.xz")),
    "sources-wrong-suite": (2, lambda: fetch("debian:woody")),
    "sources-wrong-debian": (2, lambda: fetch("debian:trixie/")),
    "sources-wrong-version": (2, lambda: fetch("kernel.org:6.12/1")),
    "sources-wrong-git": (2, lambda: fetch("git+https://git.kernel.org/linux.git")),
    "sources-password": (2, lambda: fetch("git+https://me:secret@git.example.org/linux.git@v6.12")),
    "sources-path-alone": (2, lambda: fetch("linux-6.1.tar.xz")),
    "sources-digest-malformed": (2, lambda: fetch("file:linux.tar.xz#sha256=beef")),
    "sources-no-file": (2, lambda: fetch("file:linux.tar.xz")),
    "sources-no-folder": (2, lambda: fetch("tree:linux")),
    "sources-truncated": (4, truncated),
    "sources-not-tar": (4, not_tar),
    "sources-no-kernel": (2, no_kernel),
    "sources-hostile": (4, hostile),
    "sources-nobody-vouches": (4, nobody_vouches),
    "sources-wrong-digest": (4, wrong_digest),
    "sources-tree-no-kernel": (2, lambda: fetch(f"tree:{HERE}")),
    "sources-tree-built-in": (2, built_in),
    "sources-tree-no-version": (2, no_version),
    "sources-apt-offers-none": (4, lambda: newest([])),
    "sources-no-iproute2": (2, lambda: fetch_iproute2(parse_spec(f"tree:{HERE}"), Path("cache"))),
    "config-unknown-base": (2, lambda: make_request(ConfigFlags("gest"))),
    "config-unknown-options": (2, lambda: make_request(ConfigFlags(options=("labb",)))),
    "config-no-fragment": (2, lambda: make_request(ConfigFlags(fragment=("my.config",)))),
    "config-fragment-no-text": (2, fragment(b"\x7fELF\xff\xfe")),
    "config-fragment-line": (2, fragment(b"# mine\nCONFIG_MPLS=y\nMPLS_ROUTING=y\n")),
    "config-fragment-mark": (2, fragment(b"# Labels in UDP.\n# since: 5.7-rc1\nCONFIG_BAREUDP=m\n")),
    "config-files-not-there": (2, files_not_there),
    "config-options-name": (2, lambda: find_named("ruter")),
    "config-set-malformed": (2, lambda: parse_set("MPLS")),
    "config-lost": (1, lambda: demand(lost())),
    "config-lost-in-the-package": (1, lambda: read_back(lost(), "CONFIG_NET=y\n", "linux-image-6.1.deb")),
    "kernel-revision": (2, lambda: make_packaging(PackagingFlags(revision="mpls1"))),
    "kernel-suffix": (2, lambda: make_packaging(PackagingFlags(suffix="-MPLS"))),
    "kernel-release": (2, lambda: release("-v8_16k")),
    "kernel-release-too-long": (2, lambda: release("-" + "long" * 14)),
    "kernel-tools-missing": (3, tools_missing),
    "kernel-no-room-for-debug": (3, lambda: need_space(Path("b"), 1 << 60, space({"DEBUG_INFO": "y"}, "6.12.1")[1])),
    "kernel-unknown-builder": (2, lambda: make_packaging(PackagingFlags("deb-pkg"))),
    "kernel-no-make-kpkg": (3, lambda: make_packaging(PackagingFlags("make-kpkg"))),
    "kernel-unmet-build-dependencies": (3, log_of_a_build),
    "kernel-no-package": (2, lambda: read_package(HERE / "test_error_texts.py")),
    "kernel-package-without-config": (2, lambda: packaged_config(deb("linux-image-6.1", "boot/vmlinuz"))),
    "iproute2-none-built": (2, lambda: delivered(here())),
    "iproute2-no-ip-inside": (1, lambda: prove(deb("iproute2", "sbin/tc"))),
    "iproute2-no-package": (2, lambda: prove(HERE / "test_error_texts.py")),
    "iproute2-no-such-file": (2, lambda: prove(Path("none.deb"))),
    "iproute2-changelog": (5, lambda: changelog_entry("", "1+mpls1", "")),
    "frame-not-so-alone": (1, raising(NotSo("the lab failed"))),
}


@pytest.mark.parametrize("case", CASES)
def test_an_error_is_told_in_exactly_these_words(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MPLSKIT_BUILD", "MPLSKIT_DIST", "MPLSKIT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    code, body = CASES[case]

    @cli.task()
    def do(c: Context) -> None:
        """Do it."""
        body()

    with pytest.raises(SystemExit) as left:
        Program(namespace=Collection(do)).run(["mplskit", "do"])
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (code, "")
    text = "".join(line for line in err.splitlines(keepends=True) if not line.startswith(("…", "✗", "✓")))
    for varying, name in VARYING.items():
        text = re.sub(varying, name, text)
    assert_golden(case, text, {tmp_path: "/FOLDER", HERE: "/tests", Path.home(): "/home"})


def test_every_golden_file_of_these_parts_has_its_case() -> None:
    parts = ("frame-", "sources-", "config-", "kernel-", "iproute2-")
    assert {path.stem for path in FOLDER.glob("*.txt") if path.stem.startswith(parts)} == set(CASES)
