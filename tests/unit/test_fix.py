"""--fix: what there is one way for is asked too, what is for the user to decide is left."""

from pathlib import Path

import pytest

from mplskit.config.fix import fixed, mends
from tests.worlds.small_kconfig import READY, explained, settings_of


def fix(folder: Path, start: str, *asked: str) -> tuple[list[str], dict[str, str]]:
    """What --fix says, and what is granted after it, with who asked."""
    settings, said = settings_of(asked), []
    while mended := mends(explained(folder, start, settings).verdicts):
        said += [str(mend) for mend in mended]
        settings = list(fixed(settings, mended))
    verdicts = explained(folder, start, settings).verdicts
    return said, {f"{v.setting.symbol}={v.setting.value}": v.setting.asked_by for v in verdicts if v.granted}


def test_fix_adds_what_there_is_one_way_for_and_says_for_whom(tmp_path: Path) -> None:
    said, granted = fix(tmp_path, "MODULES=y EXPERT=y NET=y PROC_SYSCTL=y", "MPLS_ROUTING=m")
    assert said == ["--fix: --set MPLS=y for MPLS_ROUTING"]
    assert granted == {"MPLS_ROUTING=m": "--set MPLS_ROUTING=m", "MPLS=y": "--fix: for MPLS_ROUTING"}


def test_fix_says_once_what_helps_several(tmp_path: Path) -> None:
    said, granted = fix(tmp_path, "MODULES=y NET=y", "MPLS=m", "NET_MPLS_GSO=m")
    assert said == ["--fix: --set MPLS=y instead of MPLS=m"]
    assert granted == {"MPLS=y": "--fix: instead of MPLS=m (--set MPLS=m)", "NET_MPLS_GSO=m": "--set NET_MPLS_GSO=m"}
    said, granted = fix(tmp_path, "MODULES=y NET=y EXPERT=y PROC_SYSCTL=y", "MPLS_ROUTING=m", "NET_MPLS_GSO=m")
    assert said == ["--fix: --set MPLS=y for MPLS_ROUTING, NET_MPLS_GSO"]


def test_fix_takes_the_name_that_this_kernel_knows(tmp_path: Path) -> None:
    said, granted = fix(tmp_path, "", "RETPOLINE=y")
    assert said == ["--fix: --set MITIGATION_RETPOLINE=y instead of RETPOLINE=y"]
    assert granted == {"MITIGATION_RETPOLINE=y": "--fix: instead of RETPOLINE=y (--set RETPOLINE=y)"}


def test_fix_brings_what_the_new_name_needs(tmp_path: Path) -> None:
    said, granted = fix(tmp_path, "MODULES=y", "NF_LOG_COMMON=m")
    assert said == [
        "--fix: --set FILTER=y --set FILTER_TRACK=m --set NF_LOG_SYSLOG=m instead of NF_LOG_COMMON=m",
    ]
    assert list(granted) == ["FILTER=y", "FILTER_TRACK=m", "NF_LOG_SYSLOG=m"]


@pytest.mark.parametrize(
    ("start", "asked"),
    [
        (READY, ("MPLS=n", "MPLS_ROUTING=m")),  # would take back MPLS=n
        ("MODULES=y", ("NEEDS_EITHER=m",)),  # two ways
        (f"{READY} NET_IP_TUNNEL=m", ("MPLS_ROUTING=y",)),  # y or n
        ("", ("TIDY=y",)),  # would turn UNTIDY off
        (READY, ("LABELS_IN_REGISTERS=y",)),  # no way at all
    ],
)
def test_fix_leaves_what_is_for_the_user_to_decide(tmp_path: Path, start: str, asked: tuple[str, ...]) -> None:
    assert fix(tmp_path, start, *asked)[0] == []


def test_fix_turns_off_what_holds_a_setting_that_was_asked_to_be_off(tmp_path: Path) -> None:
    said, granted = fix(tmp_path, "HOLDER=y", "HELD=n")
    assert said == ["--fix: --set HOLDER=n for HELD"]
    assert "HELD=n" in granted
