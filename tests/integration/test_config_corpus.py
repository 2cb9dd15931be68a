"""Configurations as people have them: what the kernel reads in each is what kernel.audit and --base read in it."""

import gzip
import json
import lzma
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mplskit import process
from mplskit.audit.feature_verdicts import State, feature_verdicts
from mplskit.audit.features import load_features
from mplskit.audit.subject import find_kernel
from mplskit.config.config_request import make_request
from mplskit.config.dotconfig import read
from mplskit.config.flags import ConfigFlags
from mplskit.config.kbuild import CLEAN
from mplskit.errors import WrongInput
from mplskit.paths import Workspace
from mplskit.sources.arch_folders import own_arch_folder
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import parse_spec
from tests.command_line import CommandLine

CACHE = Path(os.environ.get("MPLSKIT_CACHE") or Path.home() / ".cache" / "mplskit")
HEAD = "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/{} {} Kernel Configuration\n#\n"
WITHOUT_PROMPT = ("KASAN", "KVM", "PERF_EVENTS", "FTRACE", "BPF_JIT", "CLK", "IDE", "PCI", "UID16", "GUP")
BORN = "".join(f"CONFIG_HAVE_{name}=y\n" for name in WITHOUT_PROMPT)
MPLS = "CONFIG_MPLS=y\nCONFIG_NET_MPLS_GSO=y\nCONFIG_MPLS_ROUTING=m\nCONFIG_MPLS_IPTUNNEL=m\nCONFIG_LWTUNNEL=y\n"
OFF = "# CONFIG_MPLS is not set\nCONFIG_NET_IPIP=m\n# CONFIG_NET_VRF is not set\n"
LATER = 'CONFIG_PROC_SYSCTL=y\nCONFIG_SYSFS=y\nCONFIG_CMDLINE="a # b"\nCONFIG_NR_CPUS=64\n'


@dataclass(frozen=True)
class Piece:
    """A file of the corpus: its text, and whether it is a whole configuration, of which architecture."""

    text: str
    whole: bool
    architecture: str = "x86"


def whole(architecture: str, version: str, *parts: str) -> Piece:
    return Piece(HEAD.format(architecture, version) + BORN + "".join(parts), True, architecture)


PIECES = {
    "debian-amd64": whole("x86", "6.1.170", MPLS, LATER),
    "debian-arm64": whole("arm64", "6.12.30", MPLS, LATER),
    "ubuntu-riscv": whole("riscv", "6.8.0", OFF, LATER),
    "vyos": whole("x86", "6.6.70", MPLS, "CONFIG_LOCALVERSION=\"-vyos\"\n", LATER),
    "liquorix": whole("x86", "6.15.2", OFF, LATER),
    "raspberry-pi-armv7": whole("arm", "6.1.21", OFF, LATER),
    "fedora-ppc64le": Piece("# powerpc\n" + whole("powerpc", "6.9.1", MPLS).text, True, "powerpc"),
    "arch-without-its-head": Piece("CONFIG_X86=y\nCONFIG_X86_64=y\n" + BORN + MPLS, True),
    "grep-of-proc-config": Piece("CONFIG_X86=y\n" + BORN + LATER, True),
    "armbian-savedefconfig": Piece("CONFIG_ARCH_ROCKCHIP=y\nCONFIG_ARCH_SUNXI=y\n" + MPLS, False),
    "raspberry-pi-defconfig": Piece("CONFIG_ARCH_BCM2835=y\n# CONFIG_WLAN is not set\n" + MPLS, False),
    "x86-64-defconfig": Piece("CONFIG_SMP=y\nCONFIG_HYPERVISOR_GUEST=y\n" + LATER, False),
    "kspp-fragment": Piece("# Dangerous\n# CONFIG_DEVMEM is not set\nCONFIG_SLUB_DEBUG=y\n" + OFF, False),
    "linux-tkg-fragment": Piece("CONFIG_LOCALVERSION=\"-tkg\"\nCONFIG_HZ_1000=y\n" + MPLS, False),
    "gentoo-fragment": Piece("CONFIG_DEVTMPFS=y\nCONFIG_TMPFS=y\n", False),
}  # fmt: skip
FORMS: dict[str, Callable[[str], bytes]] = {
    "as-it-is": str.encode,
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "blanks-and-comments-behind": lambda text: text.replace("=y\n", "=y  # why\n").replace("=m\n", "=m\t\n").encode(),
    "set-twice": lambda text: (text + "CONFIG_MPLS_ROUTING=n\nCONFIG_MPLS_ROUTING=y\nCONFIG_MPLS_ROUTING=Y\n").encode(),
    "latin-1": lambda text: text.encode() + "# Jürgen\n".encode("latin-1"),
    "gzip": lambda text: gzip.compress(text.encode()),
    "xz": lambda text: lzma.compress(text.encode()),
    "a-byte-order-mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "no-last-line-end": lambda text: text.rstrip("\n").encode(),
}
SYMBOLS = [symbol for feature in load_features().features for symbol in (*feature.all_of, *feature.one_of)]
# Any of them may be set, whatever the others are, so that what the kernel reads is what it writes.
KCONFIG = "config MODULES\n\tdef_bool y\n\tmodules\n" + "".join(
    f'config {symbol.symbol}\n\t{"tristate" if symbol.module else "bool"} "{symbol.symbol}"\n'
    for symbol in {symbol.symbol: symbol for symbol in SYMBOLS}.values()
)
STATES = {"y": State.BUILT_IN, "m": State.MODULE, "n": State.ABSENT}
CORPUS = [(piece, form) for piece in PIECES for form in FORMS]


@pytest.fixture(scope="module")
def source_and_conf(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A kernel's tree, and its program that reads configurations."""
    folder = tmp_path_factory.mktemp("conf")
    source = fetch_kernel(parse_spec("debian", False), CACHE)
    process.run(["make", "-C", source.path, f"O={folder}", "allnoconfig"], env=CLEAN, log=folder / "log")
    (folder / "Kconfig").write_text(KCONFIG)
    return source.path, folder


def as_the_kernel_reads(folder: Path, content: bytes) -> dict[str, str]:
    for unpack in (gzip.decompress, lzma.decompress):
        try:
            content = unpack(content)
        except (OSError, lzma.LZMAError):
            continue
    (folder / "config").write_bytes(content)
    argv = [str(folder / "scripts" / "kconfig" / "conf"), "-s", "--olddefconfig", "Kconfig"]
    environment = {**os.environ, "KCONFIG_CONFIG": "config"}
    subprocess.run(argv, cwd=folder, env=environment, check=True, capture_output=True)
    return read((folder / "config").read_text()).set


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len(CORPUS) >= 40
    assert len({piece.architecture for piece in PIECES.values()}) >= 4


@pytest.mark.parametrize(("name", "form"), CORPUS, ids=["-".join(each) for each in CORPUS])
def test_the_kernel_an_audit_and_a_base_read_the_same(
    source_and_conf: tuple[Path, Path], tmp_path: Path, name: str, form: str
) -> None:
    piece = PIECES[name]
    file = tmp_path / "config"
    file.write_bytes(FORMS[form](piece.text))
    theirs = as_the_kernel_reads(source_and_conf[1], file.read_bytes())

    kernel = find_kernel([str(file)], None, Workspace(tmp_path, tmp_path, tmp_path))
    seen = {
        seen.symbol.symbol: seen.state for verdict in feature_verdicts(kernel, load_features()) for seen in verdict.seen
    }
    known = {symbol: state for symbol, state in seen.items() if state is not State.TOO_OLD}
    if piece.whole:
        assert known == {symbol: STATES[theirs.get(symbol, "n")] for symbol in known}
    else:
        assert set(known.values()) == {State.UNKNOWN}

    if piece.architecture == own_arch_folder():
        base = read(make_request(ConfigFlags(base=str(file))).base.text)
        assert {symbol: base.set.get(symbol, "n") for symbol in seen} == {
            symbol: theirs.get(symbol, "n") for symbol in seen
        }
    else:
        with pytest.raises(WrongInput, match="and kernels are built here for"):
            make_request(ConfigFlags(base=str(file)))


# By the kernel's own tools: architecture, configuration, and whether it is whole.
LARGE = [
    ("x86", "x86_64_defconfig", True),
    ("x86", "x86_64_defconfig", False),
    ("i386", "i386_defconfig", True),
    ("arm64", "defconfig", True),
    ("arm64", "defconfig", False),
    ("arm", "multi_v7_defconfig", True),
    ("arm", "multi_v7_defconfig", False),
    ("riscv", "defconfig", True),
    ("riscv", "defconfig", False),
]


@pytest.mark.full
@pytest.mark.parametrize(("architecture", "target", "is_whole"), LARGE)
def test_a_large_one_is_judged_and_made_whole_and_taken_as_a_base_or_refused(
    source_and_conf: tuple[Path, Path], tmp_path: Path, architecture: str, target: str, is_whole: bool
) -> None:
    make = ["make", "-C", str(source_and_conf[0]), f"O={tmp_path}", f"ARCH={architecture}"]
    process.run([*make, target, *([] if is_whole else ["savedefconfig"])], env=CLEAN, log=tmp_path / "log")
    file = tmp_path / (".config" if is_whole else "defconfig")
    mplskit = CommandLine(tmp_path, {"MPLSKIT_CACHE": str(CACHE)})

    audited = json.loads(mplskit("kernel.audit", "--subject", file, "--json").stdout)
    assert (audited["partial"] is None) == is_whole
    completed = json.loads(mplskit("kernel.audit", "--subject", file, "--source", "debian", "--json").stdout)
    assert completed["partial"] is None
    if is_whole:
        assert completed["features"] == [
            {**feature, "cure": mended["cure"]}
            for feature, mended in zip(audited["features"], completed["features"], strict=True)
        ]

    based = mplskit("kernel.config", "--base", file, "--json")
    if architecture == "x86":
        assert based.returncode == 0, based.stderr
        result = read(Path(json.loads(based.stdout)["config"]).read_text()).set
        states = {row["symbol"]: row["state"] for feature in completed["features"] for row in feature["symbols"]}
        assert {symbol: STATES[result.get(symbol, "n")] for symbol in ("BAREUDP", "NET_ACT_MPLS", "NET_VRF")} == {
            symbol: State(states[symbol]) for symbol in ("BAREUDP", "NET_ACT_MPLS", "NET_VRF")
        }
    else:
        assert based.returncode == 2
        assert "and kernels are built here for x86" in based.stderr
