"""The exact words of kernel.audit: its tables and its errors, each a file tests/unit/golden/audit-CASE.txt."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from mplskit.tasks import program
from tests.golden import FOLDER, assert_golden
from tests.worlds.kernel_packages import PLAIN, bzimage, config, modules, ubuntu
from tests.worlds.package_file import make_deb

HERE = Path()
DEBIANS = "linux-image-6.1.0-50-amd64"
NO_MPLS = dict.fromkeys(("MPLS", "MPLS_ROUTING", "MPLS_IPTUNNEL", "NET_MPLS_GSO"), "n")


def written(name: str, content: str | bytes) -> str:
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def ready() -> list[str]:
    return [written("config-6.8", config())]


def subjects(*paths: Path) -> list[str]:
    return [path.name for path in paths]


def cut(content: dict[str, str], rest: int) -> list[str]:
    """A package that ends when `rest` bytes of it are left out."""
    return [written("linux-image-6.1.deb", make_deb(HERE, "linux-image-6.1", content).read_bytes()[:-rest])]


def vmlinuz() -> list[str]:
    inside = b"IKCFG_ST" + gzip.compress(config().encode())
    return [written("vmlinuz", b"\0" * 0x202 + b"HdrS" + gzip.compress(inside))]


def one_module() -> list[str]:
    files = {"boot/config-6.1": config(), **modules("6.1", ["fs/ext4/ext4"])}
    return subjects(make_deb(HERE, "linux-image-6.1", files))


def vmlinux() -> list[str]:
    """As one with debug information is: larger than any stream may become (the file is sparse)."""
    with Path("vmlinux").open("wb") as file:
        file.write(b"\x7fELF Linux version 6.8.0 ")
        file.seek(300 << 20)
        file.write(b"IKCFG_ST" + gzip.compress(config().encode()) + b"IKCFG_ED")
    return ["vmlinux"]


def vmlinux_without() -> list[str]:
    with Path("vmlinux").open("wb") as file:
        file.write(b"\x7fELF Linux version 6.8.0 ")
        file.truncate(300 << 20)
    return ["vmlinux"]


def debug() -> list[str]:
    symbols = {"usr/lib/debug/boot/vmlinux-6.1.0-50-amd64": "\x7fELF"}
    return subjects(make_deb(HERE, f"{DEBIANS}-dbg", symbols))


def own_kernel() -> list[str]:
    """A package without a configuration, of a kernel without MPLS."""
    builtin = {"lib/modules/6.1-own/modules.builtin": "kernel/fs/ext4/ext4.ko\n"}
    files = {"boot/vmlinuz-6.1-own": "MZ", **builtin, **modules("6.1-own", PLAIN)}
    return subjects(make_deb(HERE, "linux-image-6.1-own", files))


def in_a_folder_with_a_space() -> list[str]:
    Path("my kernels").mkdir()
    return [written("my kernels/.config", config(NET_MPLS_GSO="n"))]


PI = {f"lib/modules/6.1.21{kind}+/kernel/net/mpls/mpls_router.ko": "" for kind in ("", "-v7", "-v8")}
SAVED = "CONFIG_ARCH_BCM=y\nCONFIG_MPLS_ROUTING=m\n# CONFIG_WLAN is not set\n"

CASES: dict[str, tuple[int, Callable[[], list[str]], list[str]]] = {
    "ready": (0, ready, []),
    "no-mpls": (1, lambda: [written(".config", config("6.18.44-vm", **NO_MPLS))], []),
    "no-gso": (1, lambda: [written(".config", config(NET_MPLS_GSO="n"))], []),
    "old": (1, lambda: [written(".config", config("4.2.1"))], []),
    "older-than-some": (0, lambda: [written(".config", config("4.9.0"))], []),
    "need": (1, lambda: [written(".config", config(NET_VRF="n", NET_ACT_MPLS="n"))], ["--need", "vrf", "--need", "tc"]),
    "inside-a-vmlinuz": (0, vmlinuz, []),
    "image-alone": (1, lambda: subjects(ubuntu(HERE)[0]), []),
    "without-extra": (1, lambda: subjects(*ubuntu(HERE)[:2]), []),
    "split-whole": (0, lambda: subjects(*ubuntu(HERE)), []),
    "inside-a-large-vmlinux": (0, vmlinux, []),
    "large-vmlinux-without": (2, vmlinux_without, []),
    "no-configuration": (1, own_kernel, []),
    "folder-with-a-space": (1, in_a_folder_with_a_space, []),
    "debug-symbols": (2, debug, []),
    "ssh-config-alone": (2, list, ["--ssh-config", "/nope"]),
    "ssh-config-and-subject": (2, ready, ["--ssh-config", "/nope"]),
    "modules-missing": (1, one_module, []),
    "no-such-file": (2, lambda: ["config-6.1"], []),
    "folder": (2, lambda: ["."], []),
    "none-of-these": (2, lambda: [written("photo.jpg", b"\xff\xd8\xff\xe0")], []),
    "vmlinuz-without": (2, lambda: [written("vmlinuz", b"\0" * 0x202 + b"HdrS")], []),
    "two-configurations": (2, lambda: [*ready(), written(".config", config())], []),
    "host-and-subject": (2, ready, ["--host", "ler-1"]),
    "unknown-feature": (2, ready, ["--need", "l3vpn"]),
    "package-of-something-else": (2, lambda: subjects(make_deb(HERE, "bash", {"bin/bash": ""})), []),
    "meta-package": (2, lambda: subjects(make_deb(HERE, "linux-image-amd64", depends=f"{DEBIANS} (= 1)")), []),
    "two-kernels": (2, lambda: subjects(*ubuntu(HERE)[:2], *ubuntu(HERE, "6.8.0-51-generic")[2:]), []),
    "several-kernels-in-one": (2, lambda: subjects(make_deb(HERE, "raspberrypi-kernel", PI)), []),
    "unknown-packing": (2, lambda: [written("vmlinuz", bzimage(b"\x37\x11\x22\x33"))], []),
    "savedefconfig": (1, lambda: [written("bcm_defconfig", SAVED)], []),
    "cut-short": (1, lambda: [written("config", config() + "# end of General setup\n")], []),
    "odd-lines": (0, lambda: [written("config", f"{config()} CONFIG_MPLS=n\nexport A\n".replace("\n", "\r\n"))], []),
    "utf-16": (2, lambda: [written("config", config().encode("utf-16"))], []),
    "source-alone": (2, list, ["--source", "debian"]),
    "source-and-package": (2, lambda: ["apt:linux-image-amd64"], ["--source", "debian"]),
    "damaged-package": (2, lambda: cut({"boot/config-6.1": config() * 99}, 20_480), []),
    "damaged-at-its-end": (2, lambda: cut({"boot/config-6.1": config()}, 1), []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_audit_is_told_in_exactly_these_words(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, subject, flags = CASES[case]
    words = [word for name in subject() for word in ("--subject", name)]
    left = 0
    try:
        program.run(["mplskit", "kernel.audit", *words, *flags])
    except SystemExit as ended:
        left = int(ended.code or 0)
    out, err = capsys.readouterr()
    told = "".join(line for line in err.splitlines(keepends=True) if line[0] not in "…✗✓")
    assert left == code
    table = "".join(f"{line.rstrip()}\n" for line in out.splitlines())
    assert_golden(f"audit-{case}", table + told, {tmp_path: "/FOLDER"})


def test_every_golden_file_of_an_audit_has_its_case() -> None:
    assert {path.stem.removeprefix("audit-") for path in FOLDER.glob("audit-*.txt")} == set(CASES)
