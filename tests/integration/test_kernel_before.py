"""What can be known before a compile is known before it, from end to end on a tree that behaves like a kernel."""

import json
import subprocess
from pathlib import Path

import pytest

from mplskit.config.fragment import parse_config
from tests.command_line import CommandLine, stand_in
from tests.worlds.fake_linux import plant
from tests.worlds.offered_linux import CACHE, offered

CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
WHOLE = "CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_PROC_SYSCTL=y\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path / "origin")


def build(folder: Path, tree: Path, *words: str, env: dict[str, str] | None = None) -> tuple[int, str, list[str]]:
    mplskit = CommandLine(folder, env or {})
    done: subprocess.CompletedProcess[str] = mplskit(
        "kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg", *words
    )
    return done.returncode, done.stderr, mplskit.journal()


def test_a_file_that_was_asked_for_and_is_not_there_stops_before_anything_is_configured(
    tmp_path: Path, tree: Path
) -> None:
    (tmp_path / "my.config").write_text('# mine\nCONFIG_SYSTEM_TRUSTED_KEYS="mine.pem"\n')
    for words, by in (
        (("--fragment", "my.config"), "my.config:2"),
        (("--set", "SYSTEM_TRUSTED_KEYS=mine.pem"), "--set SYSTEM_TRUSTED_KEYS=mine.pem"),
    ):
        code, told, built = build(tmp_path, tree, *words)
        assert (code, built) == (2, []) and "configuring" not in told
        assert f"  | SYSTEM_TRUSTED_KEYS ({by}): {tree}/mine.pem: there is no such file\n" in told


def test_a_file_of_the_base_that_is_not_there_is_left_out_and_said(tmp_path: Path, tree: Path) -> None:
    (tmp_path / "config-old").write_text(f'{WHOLE}CONFIG_EXTRA_FIRMWARE="no/such.bin"\n')
    code, told, _ = build(tmp_path, tree, "--base", "config-old")
    assert code == 0, told
    note = '! EXTRA_FIRMWARE="no/such.bin" of the base: /lib/firmware/no/such.bin: there is no such file; "" is taken\n'
    assert note in told
    [config] = (tmp_path / "build" / "config").glob("*/.config")
    assert 'CONFIG_EXTRA_FIRMWARE=""\n' in config.read_text()


def test_another_content_of_a_named_file_is_another_build(tmp_path: Path, tree: Path) -> None:
    words = ("--set", f"SYSTEM_TRUSTED_KEYS={tmp_path}/mine.pem")
    for content in (CERTIFICATE, CERTIFICATE * 2, CERTIFICATE):
        (tmp_path / "mine.pem").write_text(content)
        code, told, built = build(tmp_path, tree, *words)
        assert code == 0, told
    assert len(set(built)) == len(built) == 2


def test_a_tool_that_the_configuration_calls_for_stops_before_the_compile(tmp_path: Path, tree: Path) -> None:
    # This machine may have lzop: the Makefile says which one is called.
    code, told, built = build(tmp_path, made_with(tree, "KLZOP = lzop-of-nobody"), "--set", "KERNEL_LZO=y")
    assert (code, built) == (3, [])
    assert "error: the build needs what this machine lacks: lzop-of-nobody\n" in told
    assert "  | lzop-of-nobody: for KERNEL_LZO\n" in told and "apt-get install lzop" in told


def made_with(tree: Path, line: str) -> Path:
    makefile = tree / "Makefile"
    makefile.chmod(0o644)
    makefile.write_text(f"{makefile.read_text()}\n{line}\n")
    return tree


def test_headers_that_the_configuration_calls_for_stop_before_the_compile(tmp_path: Path, tree: Path) -> None:
    real = subprocess.run(["sh", "-c", "command -v gcc"], capture_output=True, text=True, check=True).stdout.strip()
    env = dict(stand_in(tmp_path / "bin", "gcc", f'case "$*" in *-E*) exit 1 ;; esac\nexec {real} "$@"\n'))
    code, told, built = build(tmp_path, tree, "--set", "MODULE_SIG=y", env=env)
    assert (code, built) == (3, []) and "  | <openssl/opensslv.h>: for MODULE_SIG\n" in told
    assert "apt-get install libssl-dev" in told


def test_what_is_lost_for_want_of_a_tool_is_told_by_the_tool(tmp_path: Path, tree: Path) -> None:
    env = dict(stand_in(tmp_path / "bin", "rustc", "exit 1\n")) | {"RUST_LIB_SRC": str(tmp_path)}
    code, told, built = build(tmp_path, tree, "--set", "RUST=y", env=env)
    assert (code, built) == (3, []) and "error: what was asked needs what this machine lacks: " in told
    assert "the sources of Rust's library: for RUST\n" in told and "RUST: asked y (--set RUST=y), got n: unmet" in told


@pytest.mark.skipif(not offered(), reason="this machine's apt offers no linux-source package")
def test_the_real_kconfig_takes_what_stands_for_a_file_that_is_not_here(tmp_path: Path) -> None:
    names = {"EXTRA_FIRMWARE": "a.bin", "INITRAMFS_SOURCE": "/no/root", "SYSTEM_TRUSTED_KEYS": "debian/c.pem"}
    over = (
        "64BIT=y",
        "NET=y",
        "INET=y",
        "MODULES=y",
        "MODULE_SIG=y",
        "FW_LOADER=y",
        "BLK_DEV_INITRD=y",
        'MODULE_SIG_KEY="/no/k.pem"',
    )
    lines = [*over, *(f'{symbol}="{value}"' for symbol, value in names.items())]
    (tmp_path / "config-old").write_text("".join(f"CONFIG_{line}\n" for line in lines))
    mplskit = CommandLine(tmp_path, {"MPLSKIT_CACHE": str(CACHE)})
    done = mplskit("kernel.config", "--source", "debian", "--base", "config-old", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["base"] == []
    config = parse_config(Path(told["config"]).read_text())
    assert {symbol: config[symbol] for symbol in names} == dict.fromkeys(names, '""')
    assert config["MODULE_SIG_KEY"] == '"certs/signing_key.pem"'
