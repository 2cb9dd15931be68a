from pathlib import Path

import pytest

from mplskit.config.explain import explain, load, modernise
from mplskit.config.fragment import parse_config
from mplskit.config.request import parse_set
from mplskit.config.verdict import judge

TREE = Path(__file__).parent / "small-kconfig"
Why = list[tuple[str, str, str]]


def why(folder: Path, config: str, *asked: str) -> Why:
    """Symbol, verdict and reason of what was asked of a configuration."""
    file = folder / ".config"
    file.write_text("".join(f"CONFIG_{word}\n" for word in config.split()))
    verdicts = judge([parse_set(text) for text in asked], parse_config(file.read_text()))
    return [(v.setting.symbol, str(v.state), v.why) for v in explain(verdicts, load(TREE, {}, file))]


def test_an_unmet_option_names_its_dependency_and_who_asked_for_that(tmp_path: Path) -> None:
    config = "NET=y EXPERT=y LWTUNNEL=y PROC_SYSCTL=y"
    assert why(tmp_path, config, "MPLS=n", "MPLS_ROUTING=m", "LWTUNNEL=y") == [
        ("MPLS", "granted", ""),
        ("MPLS_ROUTING", "unmet", "depends on MPLS [=n] (asked by --set MPLS=n) (net/Kconfig:11)"),
        ("LWTUNNEL", "granted", ""),
    ]


def test_every_unmet_operand_of_a_conjunction_is_named(tmp_path: Path) -> None:
    assert why(tmp_path, "NET=y", "MPLS_IPTUNNEL=m") == [
        (
            "MPLS_IPTUNNEL",
            "unmet",
            "depends on LWTUNNEL [=n] and MPLS_ROUTING [=n] and MPLS [=n] (net/Kconfig:16)",
        )
    ]


def test_who_asked_for_an_operand_and_was_refused_is_no_reason(tmp_path: Path) -> None:
    [_, tunnel] = why(tmp_path, "NET=y MPLS=y LWTUNNEL=y", "MPLS_ROUTING=m", "MPLS_IPTUNNEL=m")
    assert tunnel[2] == "depends on MPLS_ROUTING [=n] (net/Kconfig:16)"


def test_a_demoted_option_names_what_holds_it_at_m(tmp_path: Path) -> None:
    config = "MODULES=y EXPERT=y NET=y MPLS=y PROC_SYSCTL=y NET_IP_TUNNEL=m MPLS_ROUTING=m"
    assert why(tmp_path, config, "MPLS_ROUTING=y") == [
        (
            "MPLS_ROUTING",
            "demoted",
            "depends on NET_IP_TUNNEL [=m] || NET_IP_TUNNEL [=m] = n (net/Kconfig:11)",
        )
    ]


@pytest.mark.parametrize("value", ["y", "n"])
def test_an_unknown_symbol_comes_with_close_names_even_where_its_absence_was_asked(tmp_path: Path, value: str) -> None:
    assert why(tmp_path, "NET=y", f"MPLS_IPTUNEL={value}") == [
        ("MPLS_IPTUNEL", "unknown", "this kernel has no such symbol; did you mean MPLS_IPTUNNEL?")
    ]


def test_an_unknown_symbol_that_is_close_to_none_suggests_none(tmp_path: Path) -> None:
    assert why(tmp_path, "", "ZZZZZZ=y") == [("ZZZZZZ", "unknown", "this kernel has no such symbol")]


def test_a_symbol_that_is_only_used_and_never_defined_is_unknown(tmp_path: Path) -> None:
    [(_, state, _)] = why(tmp_path, "", "MENTIONED_ONLY=y")
    assert state == "unknown"


def test_a_forced_option_names_what_selects_it(tmp_path: Path) -> None:
    assert why(tmp_path, "HOLDER=y HELD=y", "HELD=n") == [("HELD", "forced", "selected by HOLDER (Kconfig:39)")]


def test_an_option_that_nobody_can_set_says_so(tmp_path: Path) -> None:
    assert why(tmp_path, "ALWAYS_ON=y", "ALWAYS_ON=n", "CHOSEN_BY_OTHERS=m") == [
        ("ALWAYS_ON", "forced", "on by default, and no user can set it (Kconfig:42)"),
        ("CHOSEN_BY_OTHERS", "unmet", "cannot be set by a user, only selected by others (Kconfig:54)"),
    ]


def test_an_option_whose_prompt_is_hidden_names_what_would_show_it(tmp_path: Path) -> None:
    assert why(tmp_path, "NET=y", "PROC_SYSCTL=y") == [
        ("PROC_SYSCTL", "unmet", "can only be set with EXPERT [=n] (Kconfig:17)")
    ]


def test_a_dependency_under_a_condition_is_understood(tmp_path: Path) -> None:
    with_net = why(tmp_path, "NET=y EXPERT=y", "NARROW=y")
    assert with_net == [("NARROW", "unmet", "depends on WIDE [=n] || !NET [=y] (Kconfig:45)")]
    without = why(tmp_path, "EXPERT=y NARROW=y", "NARROW=y")
    assert without == [("NARROW", "granted", "")]


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("config MODULES\n\tmodules\n", "config MODULES\n\toption modules\n"),
        ("\toption modules\n", "\toption modules\n"),
        ("\tbool\n\ttransitional\n", "\tbool\n\n"),
        ("\tdepends on A if B\n", "\tdepends on (A) || !(B)\n"),
        ("\tdepends on A || B if C && D\n", "\tdepends on (A || B) || !(C && D)\n"),
        ("  depends  on A  if  B \n", "  depends  on (A) || !(B)\n"),
        ("\tdepends on A if B # only if C\n", "\tdepends on (A) || !(B)\n"),
        ("\tdepends on A # only if C\n", "\tdepends on A # only if C\n"),
        ("\tdepends on A\n\tdefault y if B\n", "\tdepends on A\n\tdefault y if B\n"),
        ("\tdepends on A\nif B\n", "\tdepends on A\nif B\n"),
        ("\tdepends on NOTIF\n", "\tdepends on NOTIF\n"),
        ("\tmodules_of = y\n", "\tmodules_of = y\n"),
    ],
)
def test_what_kconfig_learnt_since_5_13_is_said_in_older_words(new: str, old: str) -> None:
    assert modernise(new) == old


def test_the_environment_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("srctree", "mine")
    (tmp_path / ".config").touch()
    before = dict(os.environ)
    load(TREE, {"ARCH": "x86"}, tmp_path / ".config")
    assert dict(os.environ) == before
