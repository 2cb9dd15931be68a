"""Debian's configurations of four releases, each as a base of the other three: nothing is lost without a line."""

import json
import re
import resource
import time
from itertools import permutations
from pathlib import Path

import pytest

from mplskit.config.needed import needed_for
from mplskit.sources.debian_config import kernel_config
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import parse_spec
from tests.command_line import CommandLine
from tests.worlds.offered_linux import CACHE

SOURCES = {
    "5.10": "debian:bullseye/5.10",
    "6.1": "debian:bookworm/6.1",
    "6.12": "debian:trixie/6.12",
    "sid": "debian:sid",
}
_LINE = re.compile(r"^CONFIG_(\w+)=(.*)$|^# CONFIG_(\w+) is not set$", re.MULTILINE)
# On each of them alike: nothing that boots, or carries packets, may go without a warning.
ROOT = ("EXT4_FS", "XFS_FS", "BTRFS_FS", "VIRTIO_BLK", "BLK_DEV_NVME", "SATA_AHCI", "BLK_DEV_INITRD", "DEVTMPFS", "EFI")

pytestmark = pytest.mark.full


def values(text: str) -> dict[str, str]:
    return {found[1] or found[3]: found[2] or "n" for found in _LINE.finditer(text)}


def cpu() -> float:
    """The processor time in seconds that our child processes have had: what it takes on a machine of our own."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.fixture(scope="module")
def bases() -> dict[str, str]:
    return {name: kernel_config(fetch_kernel(parse_spec(spec), CACHE), CACHE)[0] for name, spec in SOURCES.items()}


@pytest.mark.parametrize(("kernel", "base"), permutations(SOURCES, 2))
def test_what_a_base_of_another_release_loses_has_a_line(
    kernel: str, base: str, bases: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / f"config-{base}"
    file.write_text(bases[base])
    mplskit = CommandLine(tmp_path, {"MPLSKIT_CACHE": str(CACHE)})
    begin, used = time.monotonic(), cpu()
    done = mplskit("kernel.config", "--source", SOURCES[kernel], "--base", file, "--json")
    assert done.returncode == 0, done.stderr
    # Shown with -s, for docs and notes; never asserted.
    print(f"\n{base} on {kernel}: {time.monotonic() - begin:.1f} s, {cpu() - used:.1f} s of them on a processor")
    print("\n".join(line for line in done.stderr.splitlines() if line.startswith(("!", "of the", "✓"))))
    told = json.loads(done.stdout)
    before, after = values(bases[base]), values(Path(told["config"]).read_text())
    differing = {symbol for symbol, value in before.items() if value != after.get(symbol, "n")}
    rows = {row["symbol"]: row for row in told["base_lost"]}
    assert differing - rows.keys() == set()
    assert {symbol for symbol, row in rows.items() if not row["reason"]} == set()
    weaker = [symbol for symbol in ROOT if before[symbol] in ("y", "m") and after.get(symbol, "n") == "n"]
    assert [symbol for symbol in weaker if f"! {symbol} (" not in done.stderr] == []


def test_each_symbol_that_is_said_to_be_needed_is_one_of_a_kernel(bases: dict[str, str]) -> None:
    assert needed_for().keys() - {symbol for text in bases.values() for symbol in values(text)} == set()
