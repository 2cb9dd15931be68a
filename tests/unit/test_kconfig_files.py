"""Kconfig files of any kernel: what of them can be read, and what is said where they cannot."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.explain.answer import show_blocks
from mplskit.config.explain.kconfig_blocks import scan
from mplskit.config.explain.load_kconfig import load, modernise, transitional
from mplskit.config.explain.renames import known_renames, renamed
from mplskit.config.reasons import with_reasons
from mplskit.config.verdict import verdicts_on
from mplskit.sources.source_tree import SourceTree
from tests.golden import assert_golden
from tests.worlds.small_kconfig import TREE, Told, settings_of

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
    asked = verdicts_on(settings_of(["MPLS_ROUTING=m", "MPLS_ROUTNG=m", "NET=y", "RETPOLINE=y"]), {"NET": "y"})
    shown = show_blocks(asked, TREE, "x86")
    assert_golden("explain-block", Told(shown).text() + "\n", {})


def test_what_is_granted_stays_so_where_its_block_is_not_found() -> None:
    config = {"NOT_FOUND": "y", "NOR_THIS": "64"}
    asked = verdicts_on(settings_of(["NOT_FOUND=m", "NOR_THIS=64", "NEITHER=n", "GONE=y", "MPLS_IPTUNEL=n"]), config)
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
    asked = verdicts_on(settings_of(["MPLS=y", "MPLSS=y"]), {})
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
