"""Our reading of settings against the kernel's own: `conf --olddefconfig` of its scripts, on a small Kconfig."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mplskit import process
from mplskit.config.dotconfig import Kind, read
from mplskit.config.kbuild import CLEAN
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import parse_spec

CACHE = Path(os.environ.get("MPLSKIT_CACHE") or Path.home() / ".cache" / "mplskit")
KCONFIG = """\
config MODULES
	def_bool y
	modules

config A
	bool "a"

config B
	bool "b"
	default y

config T
	tristate "t"

config S
	string "s"
	default "kernel"

config I
	int "i"
	default 7

config H
	hex "h"
	default 0x7
"""
KINDS = {"A": Kind.BOOL, "B": Kind.BOOL, "T": Kind.TRISTATE, "S": Kind.STRING, "I": Kind.INT, "H": Kind.HEX}
DEFAULTS = {"A": "n", "B": "y", "T": "n", "S": '"kernel"', "I": "7", "H": "0x7"}

VALUES = st.one_of(
    st.sampled_from(["y", "m", "n", "yes", "module", "no", "Y", "", " y", "y ", "y # why", "on", "'y'"]),
    st.sampled_from(["0", "-1", "64", "064", "64 ", "-0", "--1", "0x", "0x1F", "0XfF", "ff", "1g", "0x1 "]),
    st.sampled_from(['"', '""', '"a', '"a"', '"a"b"', '"a" # why', '"a\\"b"', '"a\\', '"\\\\"', '"é"', 'a"b"']),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=6),
    st.text(st.sampled_from('"\\ymn0x#= \r\t'), max_size=8),
)
LINES = st.one_of(
    st.builds("CONFIG_{}={}".format, st.sampled_from(sorted(KINDS)), VALUES),
    st.builds("# CONFIG_{} is not set{}".format, st.sampled_from(sorted(KINDS)), st.sampled_from(["", " ", "\r", "x"])),
    st.builds(
        "{}CONFIG_{}{}{}".format,
        st.sampled_from(["", " ", "\t", "#", "# ", "#  ", "\ufeff", "export "]),
        st.sampled_from([*sorted(KINDS), "a", "UNKNOWN", ""]),
        st.sampled_from(["", "=", " =", " is not set"]),
        VALUES,
    ),
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=12),
)
TEXTS = st.lists(st.builds(str.__add__, LINES, st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\r"])), max_size=10).map(
    "".join
)


@pytest.fixture(scope="module")
def olddefconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], dict[str, str]]]:
    """What the kernel's `conf` makes of a text."""
    folder = tmp_path_factory.mktemp("conf")
    source = fetch_kernel(parse_spec("debian", False), CACHE)
    argv = ["make", "-C", str(source.path), f"O={folder}", "allnoconfig"]
    process.run(argv, env=CLEAN, log=folder / "log")
    (folder / "Kconfig").write_text(KCONFIG)

    def run(text: str) -> dict[str, str]:
        config = folder / "small"
        config.write_bytes(text.encode())
        argv = [str(folder / "scripts" / "kconfig" / "conf"), "-s", "--olddefconfig", "Kconfig"]
        env = {**os.environ, "KCONFIG_CONFIG": str(config)}
        subprocess.run(argv, cwd=folder, env=env, check=True, capture_output=True)
        lines = config.read_bytes().decode().split("\n")
        found = dict(line.removeprefix("CONFIG_").split("=", 1) for line in lines if line.startswith("CONFIG_"))
        return {symbol: found.get(symbol, "n") for symbol in KINDS}

    yield run


@given(text=TEXTS)
@settings(max_examples=300)
def test_any_text_says_to_us_what_it_says_to_the_kernel(
    olddefconfig: Callable[[str], dict[str, str]], text: str
) -> None:
    assert {**DEFAULTS, **read(text, KINDS).values} == olddefconfig(text)
