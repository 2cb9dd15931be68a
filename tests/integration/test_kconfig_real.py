"""The real Kconfig of Debian's kernel source, through the host's apt and the user's own cache."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.command_line import CommandLine

CACHE = Path(os.environ.get("MPLSKIT_CACHE") or Path.home() / ".cache" / "mplskit")


def offered() -> bool:
    if shutil.which("apt-cache") is None:
        return False
    argv = ["apt-cache", "search", "--names-only", r"^linux-source-[0-9]+\.[0-9]+$"]
    return bool(subprocess.run(argv, capture_output=True, check=False).stdout)


pytestmark = pytest.mark.skipif(not offered(), reason="this machine's apt offers no linux-source package")


@pytest.fixture(scope="module")
def mplskit(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return CommandLine(tmp_path_factory.mktemp("kconfig"), {"MPLSKIT_CACHE": str(CACHE)})


def test_the_guest_base_holds_all_that_labels_and_labs_ask(mplskit: CommandLine) -> None:
    done = mplskit("kernel.config", "--source", "debian", "--base", "guest", "--options", "lab", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert {row["verdict"] for row in told["verdicts"]} == {"granted"}
    assert told["base"] == []
    config = Path(told["config"]).read_text().splitlines()
    for line in (
        "CONFIG_MPLS=y", "CONFIG_LWTUNNEL=y", "CONFIG_MPLS_ROUTING=m", "CONFIG_MPLS_IPTUNNEL=m",
        "CONFIG_NET_MPLS_GSO=m", "CONFIG_VETH=m", "CONFIG_TUN=m", "CONFIG_NET_VRF=m", "CONFIG_DUMMY=m",
    ):  # fmt: skip
        assert line in config


def test_without_the_menu_switch_the_three_are_lost_and_it_is_named(mplskit: CommandLine) -> None:
    failed = mplskit("kernel.config", "--source", "debian", "--base", "guest", "--set", "MPLS=n")
    assert failed.returncode == 1
    assert (
        "error: the configuration does not hold what was asked: MPLS_ROUTING, MPLS_IPTUNNEL, NET_MPLS_GSO\n"
        in failed.stderr
    )
    for symbol in ("MPLS_ROUTING", "MPLS_IPTUNNEL", "NET_MPLS_GSO"):
        [line] = [line for line in failed.stderr.splitlines() if line.startswith(f"  | {symbol}: ")]
        assert "MPLS [=n] (asked by --set MPLS=n)" in line and "(net/mpls/Kconfig:" in line


def test_a_misspelt_symbol_is_told_with_what_was_meant(mplskit: CommandLine) -> None:
    failed = mplskit("kernel.config", "--source", "debian", "--base", "guest", "--set", "MPLS_IPTUNEL=y")
    assert failed.returncode == 1
    [line] = [line for line in failed.stderr.splitlines() if "MPLS_IPTUNEL" in line and line.startswith("  | ")]
    assert "did you mean MPLS_IPTUNNEL" in line


def test_a_revision_that_cannot_be_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    refused = CommandLine(tmp_path)("kernel.build", "--source", "debian", "--revision", "mpls1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "error: --revision 'mpls1': not a version that both builders take\n" in refused.stderr
    assert list(tmp_path.iterdir()) == []
