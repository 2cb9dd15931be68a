"""What a base loses, on the small Kconfig tree: a reason for each, and the words of stderr, which are golden."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mplskit.config import base_losses
from mplskit.config.base_losses import Loss, Outcome, Reason
from mplskit.config.compare import Side, differences
from mplskit.config.explain.load_kconfig import load
from mplskit.config.explain.loss_reasons import carried, guessed
from mplskit.config.explain.loss_reasons import losses as explained
from mplskit.config.fragment import parse_config
from mplskit.config.needed import needed_for
from tests.golden import assert_golden
from tests.worlds.small_kconfig import ENVIRONMENT, TREE

NOWHERE: Mapping[str, str] = {}


def lost(
    folder: Path, base: Mapping[str, str], over: Mapping[str, str] = NOWHERE, untrimmed: Mapping[str, str] = NOWHERE
) -> dict[str, Loss]:
    """What of a base's values is lost on the small tree, by symbol."""
    file = folder / ".config"
    file.write_text("".join(f"CONFIG_{symbol}={value}\n" for symbol, value in base.items() if value != "n"))
    # What olddefconfig does.
    kconfig = load(TREE, ENVIRONMENT, file)
    kconfig.write_config(str(file))
    kconfig.take(file)
    outcome = Outcome(base, parse_config(file.read_text()), over, untrimmed)
    return {loss.symbol: loss for loss in explained(outcome, kconfig, TREE, [])}


CASES = {
    "gone": ({"DEVKMEM": "y"}, "DEVKMEM", "n", Reason.GONE, "this kernel has no such symbol"),
    "near-miss": ({"MPLS_IPTUNEL": "y"}, "MPLS_IPTUNEL", "n", Reason.GONE, "this kernel has no such symbol"),
    "renamed": (
        {"RETPOLINE": "y"},
        "RETPOLINE",
        "n",
        Reason.RENAMED,
        "since Linux 6.9 it is called MITIGATION_RETPOLINE (arch/x86/Kconfig); "
        "MITIGATION_RETPOLINE could be set (kinds/Kconfig:45)",
    ),
    "dependency": (
        {"MODULES": "y", "NET_MPLS_GSO": "m"},
        "NET_MPLS_GSO",
        "n",
        Reason.DEPENDENCY,
        "needs NET=y, which is n (Kconfig:10)",
    ),
    "choice": (
        {"HZ_100": "y", "HZ_1000": "y"},
        "HZ_100",
        "n",
        Reason.DEPENDENCY,
        "the choice “Timer frequency” has HZ_1000 (kinds/Kconfig:5)",
    ),
    "held": (
        {"HOLDER": "y", "HELD": "n"},
        "HELD",
        "y",
        Reason.VALUE,
        "needs HOLDER=n, which is y (Kconfig:36): selects HELD",
    ),
    "another type": ({"NET": "m"}, "NET", "n", Reason.VALUE, "here it is a bool: y or n, never m"),
    "out of range": (
        {"SMP": "y", "NR_CPUS": "100000"},
        "NR_CPUS",
        "1",
        Reason.VALUE,
        "NR_CPUS takes 1 to 512 (NR_CPUS_RANGE_END) (kinds/Kconfig:29)",
    ),
    "no prompt": ({"NET_CORE_ALWAYS": "y"}, "NET_CORE_ALWAYS", "n", Reason.FOLLOWS, ""),
}


@pytest.mark.parametrize("case", CASES)
def test_each_setting_that_is_lost_has_its_reason(case: str, tmp_path: Path) -> None:
    base, symbol, after, reason, why = CASES[case]
    loss = lost(tmp_path, base)[symbol]
    assert (loss.before, loss.after, loss.reason) == (base[symbol], after, reason)
    assert loss.why == why


def test_what_was_set_on_top_of_the_base_is_told_by_who_asked(tmp_path: Path) -> None:
    loss = lost(tmp_path, {"MPLS": "y"}, over={"MPLS": "--set MPLS=n"})["MPLS"]
    assert (loss.reason, loss.why, loss.needed_for) == (Reason.ASKED, "asked by --set MPLS=n", "")


def test_what_was_trimmed_away_is_told_so(tmp_path: Path) -> None:
    base = {"MODULES": "y", "NET_MPLS_GSO": "m"}
    assert lost(tmp_path, base)["NET_MPLS_GSO"].reason is Reason.DEPENDENCY
    assert lost(tmp_path, base, untrimmed=base)["NET_MPLS_GSO"].reason is Reason.TRIMMED


def test_the_chain_of_a_lost_dependency_is_that_of_explanations(tmp_path: Path) -> None:
    row: Any = lost(tmp_path, {"MODULES": "y", "NET_MPLS_GSO": "m"})["NET_MPLS_GSO"].as_json()
    assert [(link["depth"], link["symbol"], link["has"]) for link in row["chain"]] == [
        (0, "NET_MPLS_GSO", "n"),
        (1, "MPLS", "n"),
        (2, "NET", "n"),
    ]


def test_what_is_needed_comes_with_the_settings_that_bring_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = {"MODULES": "y", "NET_MPLS_GSO": "m", "NET": "m", "TIDY": "y"}
    monkeypatch.setattr(base_losses, "needed_for", lambda: {"NET_MPLS_GSO": "labels", "NET": "labels"})
    told = lost(tmp_path, base)
    assert told["NET_MPLS_GSO"].ways == (("NET=y", "MPLS=y"),)
    assert told["NET"].ways == (("NET=y",),)
    assert told["TIDY"].ways == () and "ways" not in told["TIDY"].as_json()


def test_the_value_of_a_renamed_symbol_is_carried_in_both_directions() -> None:
    def settings(values: Mapping[str, str], *names: str) -> dict[str, str]:
        return {setting.symbol: setting.value for setting in carried(values, set(names), "old")}

    assert settings({"RETPOLINE": "y"}, "MITIGATION_RETPOLINE") == {"MITIGATION_RETPOLINE": "y"}
    assert settings({"MITIGATION_RETPOLINE": "y"}, "RETPOLINE") == {"RETPOLINE": "y"}
    assert settings({"NF_NAT_IPV4": "m", "NF_NAT_IPV6": "y"}, "NF_NAT") == {"NF_NAT": "y"}
    assert settings({"NF_NAT_IPV6": "y", "NF_NAT_IPV4": "m"}, "NF_NAT") == {"NF_NAT": "y"}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"RETPOLINE": "y", "MITIGATION_RETPOLINE": "n"}, {"MITIGATION_RETPOLINE"}),
        ({"RETPOLINE": "y"}, {"RETPOLINE", "MITIGATION_RETPOLINE"}),
        ({"RETPOLINE": "n"}, {"MITIGATION_RETPOLINE"}),
        ({"RETPOLINE": "y"}, {"NET"}),
    ],
    ids=["base-names-both", "kernel-has-both", "off", "neither"],
)
def test_nothing_is_carried_where_the_base_or_the_kernel_says_it_itself(
    values: dict[str, str], names: set[str]
) -> None:
    assert carried(values, names, "old") == []


def test_where_the_kconfig_cannot_be_parsed_names_alone_decide() -> None:
    base = {"NET": "y", "DEVKMEM": "y", "RETPOLINE": "y", "HZ": "250", "XFS_FS": "m", "MPLS": "y"}
    outcome = Outcome(base, {"HZ": "100", "MITIGATION_RETPOLINE": "y"}, {"MPLS": "--set MPLS=n"}, {"XFS_FS": "m"})
    told = guessed(outcome, {"NET", "MITIGATION_RETPOLINE", "HZ", "XFS_FS", "MPLS"})
    assert {(loss.symbol, str(loss.reason), loss.after) for loss in told} == {
        ("NET", "a dependency is lost", "n"),
        ("DEVKMEM", "not in this kernel", "n"),
        ("RETPOLINE", "renamed", "y"),
        ("HZ", "another value", "100"),
        ("XFS_FS", "trimmed away", "n"),
        ("MPLS", "asked otherwise", "n"),
    }


def test_what_is_said_of_losses_is_exactly_this(capsys: pytest.CaptureFixture[str]) -> None:
    base_losses.tell(
        [
            Loss("DEVKMEM", "y", "n", Reason.GONE, "this kernel has no such symbol"),
            Loss("VIRTIO_BLK", "y", "m", Reason.DEPENDENCY, "needs VIRTIO=y, which is m", ways=(("VIRTIO=y",),)),
            Loss("XFS_FS", "m", "n", Reason.TRIMMED),
            Loss("EXT4_FS", "m", "n", Reason.TRIMMED),
            Loss("NF_NAT_IPV4", "m", "m", Reason.RENAMED, "since Linux 5.1 it is called NF_NAT", "NF_NAT"),
            Loss("VETH", "y", "n", Reason.ASKED, "asked by --set VETH=n"),
        ],
        9001,
        Path("build/config/0/base-lost.json"),
    )
    assert_golden("base-lost", capsys.readouterr().err, {})


def test_nothing_is_said_where_nothing_is_lost(capsys: pytest.CaptureFixture[str]) -> None:
    base_losses.tell([], 9001, Path("base-lost.json"))
    assert capsys.readouterr().err == ""


def test_the_file_holds_a_row_a_line(tmp_path: Path) -> None:
    rows = [Loss("A", "y", "n", Reason.GONE, "gone"), Loss("EXT4_FS", "y", "n", Reason.TRIMMED)]
    lines = base_losses.write(rows, tmp_path).read_text().splitlines()
    assert lines[1] == '{"symbol": "A", "before": "y", "after": "n", "reason": "not in this kernel", "why": "gone"},'
    assert '"needed_for": "the root file system"' in lines[2] and len(lines) == 4


def test_only_what_is_weaker_than_it_was_is_missed() -> None:
    def need(before: str, after: str, reason: Reason = Reason.DEPENDENCY) -> bool:
        return bool(Loss("EXT4_FS", before, after, reason).needed_for)

    assert need("y", "n") and need("m", "n") and need("y", "m")
    assert not need("m", "y") and not need("n", "y") and not need("y", "n", Reason.ASKED)


def test_no_symbol_is_needed_twice_and_what_mpls_asks_is_not_among_them() -> None:
    assert "EXT4_FS" in needed_for() and not {"MPLS_ROUTING", "MPLS_IPTUNNEL"} & needed_for().keys()


def test_two_configurations_are_compared_by_what_is_set() -> None:
    old = {"A": "y", "B": "m", "C": "64", "D": "n", "E": "0x10"}
    found = differences(old, {"B": "y", "C": "64", "F": "y", "E": "0x010"})
    assert [(one.symbol, one.old, one.new, one.side) for one in found] == [
        ("A", "y", "n", Side.OLD),
        ("F", "n", "y", Side.NEW),
        ("B", "m", "y", Side.BOTH),
    ]
