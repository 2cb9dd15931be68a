"""Explanations on a small Kconfig tree: the words are golden, the chains and the ways are written out."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.configure import verdict_rows
from mplskit.config.explain.answer import explain, show_blocks
from mplskit.config.explain.blocks import scan
from mplskit.config.explain.load import load, modernise, transitional
from mplskit.config.explain.renames import known_renames, renamed
from mplskit.config.explain.words import paragraphs
from mplskit.config.fix import fixed, mends
from mplskit.config.fragment import Setting, apply, parse_config
from mplskit.config.reasons import with_reasons
from mplskit.config.request import parse_set
from mplskit.config.verdict import Verdict, judge
from mplskit.sources.tree import SourceTree
from tests.golden import FOLDER, assert_golden
from tests.worlds.small_kconfig import ENVIRONMENT, TREE

READY = "MODULES=y EXPERT=y NET=y MPLS=y LWTUNNEL=y PROC_SYSCTL=y"


@dataclass(frozen=True)
class Told:
    """What was asked of the small tree and what came of it."""

    verdicts: list[Verdict]

    def __getitem__(self, symbol: str) -> Verdict:
        return next(verdict for verdict in self.verdicts if verdict.setting.symbol == symbol)

    def text(self) -> str:
        return paragraphs([verdict for verdict in self.verdicts if not verdict.granted])


def settings_of(words: Iterable[str]) -> list[Setting]:
    return [parse_set(word) for word in words]


def told(folder: Path, start: str, *asked: str, base: str = "") -> Told:
    """Configure the small tree, begun with `start`, and explain."""
    return explained(folder, start, settings_of(asked), base)


def explained(folder: Path, start: str, asked: list[Setting], base: str = "") -> Told:
    file = folder / ".config"
    file.write_text(apply("".join(f"CONFIG_{word}\n" for word in start.split()), asked))
    # What olddefconfig does.
    load(TREE, ENVIRONMENT, file).write_config(str(file))
    config = parse_config(file.read_text())
    of_base = [Setting(s.symbol, s.value, "bases/small.config:1") for s in settings_of(base.split())]
    kconfig = load(TREE, ENVIRONMENT, file)
    verdicts, _ = explain(judge(asked, config), judge(of_base, config), kconfig, TREE)
    return Told(verdicts)


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


def judged(folder: Path, config: str, *asked: str) -> Told:
    """Explain over a .config that olddefconfig is said to have written."""
    (folder / ".config").write_text(config)
    kconfig = load(TREE, ENVIRONMENT, folder / ".config")
    return Told(explain(judge(settings_of(asked), parse_config(config)), [], kconfig, TREE)[0])


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
    asked = judge(settings_of(["LABELS_IN_REGISTERS=y"]), parse_config(config))
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


# The words of Kconfig as they became since 5.13.


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("config MODULES\n\tmodules\n", "config MODULES\n\toption modules\n"),
        ("\tmodules # all of them\n", "\toption modules\n"),
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


WORDS = st.sampled_from(
    [
        "config A\n",
        "\tbool\n",
        "\tmodules\n",
        "\ttransitional\n",
        "\tdepends on A if B\n",
        "\thelp\n",
        "\t  text if B\n",
    ]
)


@given(st.lists(WORDS | st.text(max_size=30)).map("".join))
def test_older_words_keep_every_line_in_its_place(text: str) -> None:
    old = modernise(text)
    assert old.count("\n") == text.count("\n")
    assert modernise(old) == old
    assert not transitional(old)


@given(st.text())
def test_blocks_are_found_in_any_text_at_lines_that_are_there(text: str) -> None:
    lines = text.split("\n")
    for block in scan(text, "Kconfig"):
        number = int(block.place.removeprefix("Kconfig:"))
        assert block.symbol in lines[number - 1] and block.text.startswith(lines[number - 1].rstrip())


@given(st.lists(st.from_regex(r"[A-Z0-9_]{1,12}", fullmatch=True), unique=True))
def test_each_block_ends_where_the_next_begins(names: list[str]) -> None:
    text = "".join(f"config {name}\n\tbool\n\thelp\n\t  config OF NOTHING\n\n" for name in names)
    assert [(block.symbol, block.text) for block in scan(text, "K")] == [
        (name, f"config {name}\n\tbool") for name in names
    ]


@given(st.text(max_size=12), st.frozensets(st.sampled_from(["RETPOLINE", "MITIGATION_RETPOLINE", "NF_NAT"])))
def test_a_name_is_only_replaced_by_one_that_is_there(name: str, names: frozenset[str]) -> None:
    words, other = renamed(name, names)
    assert bool(words) == bool(other) and (not other or other in names)


def test_a_new_name_is_told_by_its_old_one_on_an_older_kernel() -> None:
    assert renamed("MITIGATION_RETPOLINE", {"RETPOLINE"}) == (
        "it is called RETPOLINE here; MITIGATION_RETPOLINE came with Linux 6.9",
        "RETPOLINE",
    )


def test_no_symbol_is_renamed_twice() -> None:
    olds = [rename.old for rename in known_renames()]
    assert len(olds) == len(set(olds)) and not set(olds) & {rename.new for rename in known_renames()}


# Where a tree cannot be parsed.


def test_the_blocks_of_a_tree_are_shown_where_it_cannot_be_parsed() -> None:
    asked = judge(settings_of(["MPLS_ROUTING=m", "MPLS_ROUTNG=m", "NET=y", "RETPOLINE=y"]), {"NET": "y"})
    shown = show_blocks(asked, TREE, "x86")
    assert_golden("explain-block", Told(shown).text() + "\n", {})


def test_what_is_granted_stays_so_where_its_block_is_not_found() -> None:
    config = {"NOT_FOUND": "y", "NOR_THIS": "64"}
    asked = judge(settings_of(["NOT_FOUND=m", "NOR_THIS=64", "NEITHER=n", "GONE=y", "MPLS_IPTUNEL=n"]), config)
    shown = show_blocks(asked, TREE, "x86")
    assert [str(verdict.state) for verdict in shown] == ["granted", "granted", "granted", "unknown", "unknown"]


def source_with(folder: Path, kconfig: str) -> SourceTree:
    tree = folder / "linux"
    (tree / "net").mkdir(parents=True)
    (tree / "Makefile").write_text("all:\n")
    (tree / "net" / "Kconfig").write_text('config MPLS\n\tbool "Labels"\n\tdepends on NET\n')
    (tree / "Kconfig").write_text(f'source "net/Kconfig"\n{kconfig}')
    return SourceTree("linux", "9.1.0", "tree:linux", "tree linux", "0", tree)


@pytest.mark.parametrize(
    ("kconfig", "said"),
    [
        ("config NET\n\tbool\n\tconjures WIRELESS unless EXPERT\n", "KconfigError: Kconfig:4: error: couldn't parse"),
        ('source "gone/Kconfig"\n', "KconfigError: Kconfig:2: 'gone/Kconfig' not found"),
        ("config NET\n\tbool\n\tdepends on " + "(" * 5000 + "A" + ")" * 5000 + "\n", "RecursionError: "),
        ('config NET\n\tdef_bool $(error-if,y,"no such machine")\n', 'KconfigError: Kconfig:3: "no such machine"'),
    ],
    ids=["unknown-word", "missing-file", "too-deep", "error-of-the-tree"],
)
def test_whatever_stops_the_parser_the_block_is_shown_and_nothing_fails(
    kconfig: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".config").touch()
    source = source_with(tmp_path, kconfig)
    asked = judge(settings_of(["MPLS=y", "MPLSS=y"]), {})
    [lost, unknown], [held] = with_reasons(source, tmp_path / ".config", asked, asked[:1])
    assert lost.why == held.why == 'net/Kconfig:1 has\nconfig MPLS\n\tbool "Labels"\n\tdepends on NET'
    assert (str(unknown.state), unknown.why) == ("unknown", "this kernel has no such symbol; did you mean MPLS?")
    note = capsys.readouterr().err
    assert note.startswith(f"! the Kconfig of this tree cannot be parsed, its text is shown instead: {said}"), note
    assert note.count("\n") == 1


def test_the_environment_stays_as_it_was_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("srctree", "mine")
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".config").touch()
    before = dict(os.environ)
    load(TREE, {"ARCH": "x86"}, Path(".config"))
    assert dict(os.environ) == before and Path.cwd() == tmp_path
    assert [path.name for path in tmp_path.iterdir()] == [".config"]
