"""Explanations on a small Kconfig tree: the words are golden, the chains and the ways are written out."""

from pathlib import Path

import pytest

from mplskit.config.configure import verdict_rows
from mplskit.config.explain.answer import explain
from mplskit.config.explain.load_kconfig import load
from mplskit.config.fragment import parse_config
from mplskit.config.verdict import verdicts_on
from tests.golden import FOLDER, assert_golden
from tests.worlds.small_kconfig import ENVIRONMENT, READY, TREE, Told, explained, judged, settings_of, told

ROUTING = ("MPLS_ROUTING=m", "MPLS_IPTUNNEL=m", "NET_MPLS_GSO=m")
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "menu-switch": (READY, ("MPLS=n", *ROUTING)),
    "no-net": (READY, ("NET=n", "MPLS=y", "LWTUNNEL=y", *ROUTING)),
    "demoted": (f"{READY} NET_IP_TUNNEL=m", ("MPLS_ROUTING=y",)),
    "demoted-by-the-user": (READY, ("NET_IP_TUNNEL=m", "MPLS_ROUTING=y")),
    "typo": (READY, ("MPLS_IPTUNEL=m",)),
    "typo-asked-to-be-off": (READY, ("MPLS_IPTUNEL=n", "DEVKMEM=n")),
    "renamed-asked-to-be-off": ("MITIGATION_RETPOLINE=y", ("RETPOLINE=n",)),
    "like-nothing": (READY, ("ZZZZZZ=y",)),
    "mentioned-only": (READY, ("MENTIONED_ONLY=y",)),
    "renamed": (READY, ("RETPOLINE=y", "NF_NAT_IPV4=m")),
    "renamed-and-more-lost": (READY, ("FILTER=n", "NF_LOG_COMMON=m")),
    "renamed-to-what-nobody-can": (READY, ("X86_SYSFB=y",)),
    "transitional": ("", ("SYSCTL_OLD=y",)),
    "selected": ("HOLDER=y", ("HELD=n",)),
    "selected-by-what-was-asked": ("", ("HOLDER=y", "HELD=n")),
    "always-on": ("", ("ALWAYS_ON=n",)),
    "compiler-symbol": (READY, ("LABELS_IN_REGISTERS=y",)),
    "compiler-line": (READY, ("KERNEL_CFI=y",)),
    "compiler-itself": (READY, ("CC_HAS_LABELS=y",)),
    "pahole": (READY, ("DEBUG_INFO_BTF=y",)),
    "rust": (READY, ("RUST=y",)),
    "nobody-can": (READY, ("X86_ONLY=y",)),
    "hidden-prompt": ("NET=y", ("PROC_SYSCTL=y",)),
    "condition": ("NET=y EXPERT=y", ("NARROW=y",)),
    "either": ("MODULES=y", ("NEEDS_EITHER=m",)),
    "chosen-by-others": ("MODULES=y", ("CHOSEN_BY_OTHERS=m", "NEEDS_CHOSEN=m")),
    "default-that-goes-away": ("MODULES=y", ("FILTER_NAT=m",)),
    "not-beside": ("", ("TIDY=y",)),
    "bool-as-module": ("MODULES=y NET=y", ("MPLS=m",)),
    "number-out-of-range": ("SMP=y", ("NR_CPUS=1000",)),
    "number-beyond-all": ("SMP=y", ("NR_CPUS=100000",)),
    "number-as-y": ("", ("NR_CPUS=y",)),
    "number-as-words": ("", ("NR_CPUS=many",)),
    "number-as-hex": ("", ("NR_CPUS=0x10", "LOG_FORMAT=1f")),
    "text-as-number": ("", ("LOCALVERSION=64",)),
    "text-as-y": ("", ("LOCALVERSION=y",)),
    "yes-in-words": (READY, ("MPLS_ROUTING=yes", "NET_MPLS_GSO=module")),
    "yes-in-words-and-more-lost": ("NET=y PROC_SYSCTL=y", ("MPLS_ROUTING=on",)),
    "no-in-words": (READY, ("NET_MPLS_GSO=OFF",)),
    "hex-hidden": ("", ("PHYSICAL_START=0x2000000",)),
    "text-hidden": ("", ('CMDLINE="quiet mpls"',)),
    "choice-taken": ("", ("HZ_100=y", "HZ_1000=y")),
    "choice-asked": ("", ("HZ_1000=y", "SLOW_ONLY=y")),
    "choice-of-the-base": ("HZ_1000=y", ("SLOW_ONLY=y",)),
    "choice-needs-one": ("", ("HZ_100=n", "HZ_250=n", "HZ_1000=n")),
}


@pytest.mark.parametrize("case", CASES)
def test_a_lost_setting_is_explained_in_exactly_these_words(case: str, tmp_path: Path) -> None:
    start, asked = CASES[case]
    assert_golden(f"explain-{case}", told(tmp_path, start, *asked).text() + "\n", {})


def test_every_golden_file_of_explanations_has_its_case() -> None:
    names = {path.stem.removeprefix("explain-") for path in FOLDER.glob("explain-*.txt")}
    assert {name for name in names if not name.startswith("real-")} == {*CASES, "block", "older"}


@pytest.mark.parametrize("case", CASES)
def test_each_way_grants_what_was_lost(case: str, tmp_path: Path) -> None:
    start, asked = CASES[case]
    for lost in told(tmp_path, start, *asked).verdicts:
        for way in lost.ways:
            given = settings_of(way)
            kept = [s for s in settings_of(asked) if s.symbol not in {setting.symbol for setting in given}]
            again = explained(tmp_path, start, [*kept, *given])
            symbols = {verdict.setting.symbol for verdict in again.verdicts if verdict.granted}
            assert given and symbols >= (
                {lost.setting.symbol} if str(lost.state) != "unknown" else {setting.symbol for setting in given}
            )


def test_the_chain_leads_down_to_what_can_be_set(tmp_path: Path) -> None:
    verdict = told(tmp_path, "MODULES=y EXPERT=y NET=y PROC_SYSCTL=y", "MPLS_IPTUNNEL=m")["MPLS_IPTUNNEL"]
    assert [(link.depth, link.symbol, link.needed, link.has, link.place) for link in verdict.chain] == [
        (0, "MPLS_IPTUNNEL", "m", "n", "net/Kconfig:16"),
        (1, "LWTUNNEL", "y", "n", "Kconfig:27"),
        (1, "MPLS_ROUTING", "m", "n", "net/Kconfig:11"),
        (2, "MPLS", "y", "n", "net/Kconfig:3"),
    ]
    assert verdict.ways == (("LWTUNNEL=y", "MPLS=y", "MPLS_ROUTING=m"),)


def test_a_module_that_is_asked_without_modules_is_built_in_and_that_is_said(tmp_path: Path) -> None:
    verdict = told(tmp_path, f"{READY}", "MODULES=n", "MPLS_ROUTING=m")["MPLS_ROUTING"]
    assert (verdict.got, str(verdict.state), verdict.why) == (
        "y",
        "granted",
        "built in, since MODULES is n (Kconfig:3)",
    )


def test_a_number_that_the_kernel_refuses_for_its_zero_is_told_without_it(tmp_path: Path) -> None:
    config = "CONFIG_SMP=y\nCONFIG_NR_CPUS=1\n"
    assert judged(tmp_path, config, "NR_CPUS=064").text() == (
        "NR_CPUS: asked 064 (--set NR_CPUS=064), got 1: unmet\n"
        "  NR_CPUS is a whole decimal number, without zeros before it (kinds/Kconfig:29)\n"
        "  mend: --set NR_CPUS=64"
    )
    assert str(judged(tmp_path, "CONFIG_SMP=y\nCONFIG_NR_CPUS=64\n", "NR_CPUS=064")["NR_CPUS"].state) == "granted"


def test_what_only_an_old_configuration_lacks_has_no_empty_way(tmp_path: Path) -> None:
    config = "CONFIG_NET=y\n# CONFIG_LABELS_IN_REGISTERS is not set\n"
    (tmp_path / ".config").write_text(config)
    # The compiler has learnt it since.
    kconfig = load(TREE, {**ENVIRONMENT, "CC": "gcc-of-tomorrow"}, tmp_path / ".config")
    asked = verdicts_on(settings_of(["LABELS_IN_REGISTERS=y"]), parse_config(config))
    assert_golden("explain-older", Told(explain(asked, [], kconfig, TREE)[0]).text() + "\n", {})


@pytest.mark.parametrize(
    ("asked", "got", "state"),
    [
        ("NOT_PARSED=y", "y", "granted"),
        ("NOT_PARSED=m", "m", "granted"),
        ("NOT_PARSED=64", "64", "granted"),
        ("MENTIONED_ONLY=y", "y", "granted"),
        ("SYSCTL_OLD=y", "y", "granted"),
        ("RETPOLINE=y", "y", "granted"),
        ("NOT_PARSED=y", "n", "unknown"),
        ("NOT_PARSED=n", "n", "granted"),
    ],
)
def test_what_the_kernel_granted_is_not_called_unknown(asked: str, got: str, state: str, tmp_path: Path) -> None:
    symbol = asked.partition("=")[0]
    config = "" if got == "n" else f"CONFIG_{symbol}={got}\n"
    assert str(judged(tmp_path, config, asked)[symbol].state) == state


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("DEVKMEM=n", "this kernel has no such symbol"),
        ("MENTIONED_ONLY=n", "this kernel has no such symbol"),
        ("RETPOLINE=n", "since Linux 6.9 it is called MITIGATION_RETPOLINE (arch/x86/Kconfig)"),
        ("SYSCTL_OLD=n", "it is called PROC_SYSCTL here, which takes its value over"),
    ],
)
def test_what_is_asked_to_be_off_is_granted_by_absence_and_that_is_said(asked: str, why: str, tmp_path: Path) -> None:
    verdict = told(tmp_path, "", asked)[asked.partition("=")[0]]
    assert (str(verdict.state), verdict.got, verdict.why, verdict.ways) == ("granted", "n", why, ())


def test_json_names_who_is_against_a_way_in_the_order_of_the_ways(tmp_path: Path) -> None:
    verdicts = told(tmp_path, READY, "NET_IP_TUNNEL=m", "MPLS_ROUTING=y").verdicts
    [granted, lost] = verdict_rows(verdicts)
    assert "ways" not in granted and "against" not in granted
    assert lost["ways"] == [["NET_IP_TUNNEL=y"], ["NET_IP_TUNNEL=n"]]
    assert lost["against"] == [[], ["--set NET_IP_TUNNEL=m"]]
    [alone] = verdict_rows(told(tmp_path, "MODULES=y NET=y", "NET_MPLS_GSO=m").verdicts)
    assert alone["ways"] == [["MPLS=y"]] and "against" not in alone


def test_what_is_granted_needs_no_reason(tmp_path: Path) -> None:
    verdict = told(tmp_path, READY, "MPLS_ROUTING=m")["MPLS_ROUTING"]
    assert (str(verdict.state), verdict.why, verdict.chain, verdict.ways) == ("granted", "", (), ())
