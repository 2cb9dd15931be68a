"""The option sets on the real Kconfig of Debian's kernel source, through the host's apt and the user's own cache."""

import json
from pathlib import Path

import pytest

from mplskit.config.config_request import known_names
from tests.command_line import CommandLine
from tests.worlds.offered_linux import mplskit, offered

__all__ = ["mplskit"]
pytestmark = pytest.mark.skipif(not offered(), reason="this machine's apt offers no linux-source package")
ALL = [word for name in known_names("options") for word in ("--options", name)]


def verdicts(mplskit: CommandLine, base: str | Path) -> dict[str, str]:
    done = mplskit("kernel.config", "--source", "debian", "--base", base, *ALL, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["base"] == []
    return {row["symbol"]: row["verdict"] for row in told["verdicts"]}


def test_all_sets_together_are_granted_on_the_guest_base_or_are_for_other_releases(mplskit: CommandLine) -> None:
    found = verdicts(mplskit, "guest")
    assert len(found) > 200
    assert set(found.values()) == {"granted", "not asked"}
    assert found["NFT_COUNTER"] == "not asked" and found["NET_ACT_MPLS"] == "granted"


def test_the_sets_name_what_they_depend_on_so_that_a_base_of_nothing_grants_them(
    mplskit: CommandLine, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing.config"
    nothing.write_text("CONFIG_64BIT=y\n")
    assert set(verdicts(mplskit, nothing).values()) == {"granted", "not asked"}
