"""The tools that a configuration calls for are looked for before the compile, and named with their packages."""

import os
from pathlib import Path

import pytest

from mplskit.config.needed_tools import demand, demand_for
from mplskit.errors import MachineLacks
from mplskit.kernel.build import space

MAKEFILE = "KLZOP\t\t= lzop\nLZ4\t\t= lz4c\nZSTD\t\t= zstd\nPAHOLE = pahole\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree; the machine has bc, a compiler without a header, and nothing else."""
    (tmp_path / "linux").mkdir()
    files = {
        "Makefile": MAKEFILE,
        "Kbuild": "echo $(CONFIG_HZ) | bc -q $<\n",
        "kernel/gen_kheaders.sh": "cpio --quiet\n",
    }
    for name, text in files.items():
        (tmp_path / "linux" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "linux" / name).write_text(text)
    monkeypatch.setattr(
        "mplskit.config.needed_tools.process.find",
        lambda name: str(tmp_path / name) if (tmp_path / name).exists() else None,
    )
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "gcc").write_text("#!/bin/sh\nexit 1\n")
    (bin_ / "gcc").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    (tmp_path / "bc").touch()
    return tmp_path / "linux"


@pytest.mark.parametrize(
    ("config", "lacks", "packages"),
    [
        ({"KERNEL_LZO": "y"}, "lzop", "lzop"),
        ({"KERNEL_LZ4": "y"}, "lz4c", "lz4"),
        ({"MODULE_COMPRESS_ZSTD": "y", "KERNEL_ZSTD": "y"}, "zstd", "zstd"),
        ({"MODULE_COMPRESS_XZ": "y"}, "xz", "xz-utils"),
        ({"KERNEL_LZMA": "y"}, "lzma", "xz-utils"),
        ({"INITRAMFS_COMPRESSION_BZIP2": "y"}, "bzip2", "bzip2"),
        ({"IKHEADERS": "m"}, "cpio, xz", "cpio xz-utils"),
        ({"DEBUG_INFO_BTF": "y"}, "pahole, <gelf.h>, <zlib.h>", "pahole libelf-dev zlib1g-dev"),
        ({"RUST": "y"}, "rustc, bindgen, the sources of Rust's library", "rustc bindgen rust-src"),
        ({"OBJTOOL": "y"}, "<gelf.h>", "libelf-dev"),
        ({"UNWINDER_ORC": "y"}, "<gelf.h>", "libelf-dev"),
        ({"SYSTEM_TRUSTED_KEYRING": "y"}, "<openssl/opensslv.h>", "libssl-dev"),
        ({"MODULE_SIG": "y", "MODULE_SIG_KEY": '"/k.pem"'}, "<openssl/opensslv.h>", "libssl-dev"),
        (
            {"MODULE_SIG": "y", "MODULE_SIG_KEY": '"certs/signing_key.pem"'},
            "<openssl/opensslv.h>, openssl",
            "libssl-dev openssl",
        ),
        ({"AIC7XXX_BUILD_FIRMWARE": "y"}, "<db_185.h>", "libdb-dev"),
        ({"GENDWARFKSYMS": "y"}, "<elfutils/libdwfl.h>", "libdw-dev"),
    ],
)
def test_what_a_configuration_calls_for_and_is_not_here_is_named_with_its_package(
    tree: Path, config: dict[str, str], lacks: str, packages: str
) -> None:
    with pytest.raises(MachineLacks) as refused:
        demand(config, tree)
    assert refused.value.message == f"the build needs what this machine lacks: {lacks}"
    assert refused.value.hint == f"apt-get install {packages}, or leave out what calls for it; nothing was built"
    assert next(iter(config)) in refused.value.detail


def test_what_nothing_calls_for_is_not_missed(tree: Path) -> None:
    demand({"KERNEL_LZO": '"y"', "NET": "y"}, tree)


def test_what_a_release_does_not_call_any_longer_is_not_missed(tree: Path) -> None:
    (tree / "kernel/gen_kheaders.sh").write_text("tar -I $XZ\n")
    with pytest.raises(MachineLacks) as refused:
        demand({"IKHEADERS": "m"}, tree)
    assert refused.value.message == "the build needs what this machine lacks: xz"


def test_what_every_kernel_needs_is_always_looked_for(tree: Path) -> None:
    (tree.parent / "bc").unlink()
    with pytest.raises(MachineLacks) as refused:
        demand({}, tree)
    assert (refused.value.message, refused.value.detail) == (
        "the build needs what this machine lacks: bc",
        "bc: for every kernel",
    )


def test_a_symbol_that_is_lost_for_want_of_a_tool_is_told_by_the_tool(tree: Path) -> None:
    with pytest.raises(MachineLacks) as refused:
        demand_for({"DEBUG_INFO_BTF", "MPLS_ROUTING"}, "DEBUG_INFO_BTF: asked y (--set DEBUG_INFO_BTF=y), got n: unmet")
    assert refused.value.message.startswith("what was asked needs what this machine lacks: pahole")
    assert refused.value.detail.endswith("got n: unmet")
    demand_for({"MPLS_ROUTING", "KERNEL_LZO"}, "")


def test_debug_information_counts_for_the_room_on_disk() -> None:
    modules = {f"M{number}": "m" for number in range(4000)}
    plain, debug = (space({**modules, "DEBUG_INFO": value}, "6.12.1") for value in ("n", "y"))
    assert (plain[0] >> 30, debug[0] >> 30) == (10, 19)
    assert "DEBUG_INFO" not in plain[1] and "--set DEBUG_INFO_NONE=y leaves that out" in debug[1]
    assert "--set DEBUG_INFO=n leaves that out" in space({"DEBUG_INFO": "y"}, "5.10.1")[1]
    assert space({"DEBUG_INFO": "y", "DEBUG_INFO_REDUCED": "y"}, "6.12.1")[1] == "building a kernel"
