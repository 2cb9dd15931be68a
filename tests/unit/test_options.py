"""The option sets and bases as they are delivered, what is shown of them, and settings that are for some releases."""

import json
import re
from pathlib import Path

import pytest

from mplskit.config.config_request import last_of_each, make_request
from mplskit.config.flags import ConfigFlags
from mplskit.config.fragment import Setting, read_fragment
from mplskit.config.options import find_named, named_bases, option_sets, summary
from mplskit.config.verdict import of_other_releases, of_release
from mplskit.errors import WrongInput
from mplskit.paths import data
from tests.command_line import CommandLine

SETS = ["firewall", "l3vpn", "lab", "mpls", "perf", "router", "selftest", "signing", "tc", "tunnels"]
FILES = sorted((data("kconfig") / "options").glob("*.config")) + sorted((data("kconfig") / "bases").glob("*.config"))
RELEASES = ["5.10.223", "5.15.1", "6.1.176", "6.6.1", "6.8.0", "6.9.0", "6.12.107", "7.2.13"]


def test_these_sets_and_bases_are_there() -> None:
    assert [named.name for named in option_sets()] == SETS
    assert [named.name for named in named_bases()] == ["debian", "defconfig", "guest", "running"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_symbol_of_a_file_has_a_reason_and_a_name_of_the_kernels_kind(file: Path) -> None:
    settings = read_fragment(file, file.name)
    assert [s.asked_by for s in settings if len(s.reason) < 10] == []
    assert [s.asked_by for s in settings if not re.fullmatch(r"[A-Z0-9][A-Z0-9_a-z]+", s.symbol)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("version", RELEASES)
def test_no_file_asks_twice_for_a_symbol_of_one_release(file: Path, version: str) -> None:
    symbols = [setting.symbol for setting in read_fragment(file) if setting.is_for(version)]
    assert [symbol for symbol in symbols if symbols.count(symbol) > 1] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_span_of_releases_is_not_empty(file: Path) -> None:
    wrong = [s.asked_by for s in read_fragment(file) if s.since and s.until and s.since > s.until]
    assert wrong == []


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_told_in_one_sentence(name: str) -> None:
    said = find_named(name).summary
    assert said.endswith(".") and 20 < len(said) <= 120 and said.count(". ") == 0


def test_a_summary_is_the_first_sentence_of_the_first_comment() -> None:
    assert summary("# Labels in UDP (RFC 7510), as 6.1 has\n# them. More.\n\n# Other.\n") == (
        "Labels in UDP (RFC 7510), as 6.1 has them."
    )
    assert summary("# no full stop\n#\nCONFIG_A=y\n") == "no full stop "
    assert summary("CONFIG_A=y\n# late.\n") == ""


def test_a_name_that_is_nothing_is_refused_with_what_there_is() -> None:
    with pytest.raises(WrongInput) as refused:
        find_named("ruter")
    assert refused.value.message == "ruter: neither an option set nor a base"
    assert refused.value.hint.startswith("did you mean router? known: firewall, l3vpn, ")


NEW, OLD = Setting("NEW", "y", "f:2", since=(6, 9)), Setting("OLD", "y", "f:4", until=(6, 8))


def test_a_setting_outside_its_releases_is_not_asked_and_says_so() -> None:
    assert of_release([NEW, OLD], "6.1.176") == (OLD,)
    assert [(v.setting.symbol, str(v.state), v.why) for v in of_other_releases([NEW, OLD], "6.1.176")] == [
        ("NEW", "not asked", "not in Linux 6.1: since 6.9")
    ]


def test_what_is_asked_in_another_way_is_not_told_as_left_out() -> None:
    plain = Setting("NEW", "m", "--set NEW=m")
    assert of_release([NEW, plain], "6.1.176") == (plain,)
    assert of_other_releases([NEW, plain], "6.1.176") == []


def test_a_word_for_all_releases_takes_back_those_for_some_and_a_later_mark_takes_back_its_own_span() -> None:
    plain, newer, again = (
        Setting("NEW", "n", "a"),
        Setting("NEW", "m", "b", since=(7, 0)),
        Setting("NEW", "m", "c", (6, 9)),
    )
    assert last_of_each([NEW, OLD, plain]) == (OLD, plain)
    assert last_of_each([NEW, newer, again]) == (newer, again)
    assert of_release(last_of_each([NEW, newer]), "7.2.1") == (newer,)
    assert of_release(last_of_each([plain, newer]), "6.1.1") == (plain,)


def test_marks_in_a_fragment_of_the_users_own_reach_the_request(tmp_path: Path) -> None:
    mine = tmp_path / "mine.config"
    mine.write_text("# since: 5.19\nCONFIG_MINE=y\n")
    [setting] = [s for s in make_request(ConfigFlags(fragment=(str(mine),))).settings if s.symbol == "MINE"]
    assert (setting.since, setting.marks(), setting.asked_by) == ((5, 19), ["since: 5.19"], f"{mine}:2")


@pytest.fixture
def mplskit(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_the_task_lists_the_sets_and_the_bases_with_a_line_each(mplskit: CommandLine) -> None:
    done = mplskit("kernel.options")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [words[0] for words in lines if words and words[0] in SETS] == SETS
    assert "Label switching: what the running kernel must have been built with." in done.stdout
    assert "running" in done.stdout and "The kernel's own default for this architecture." in done.stdout


def test_the_task_shows_a_set_with_values_releases_and_each_reason_once(mplskit: CommandLine) -> None:
    done = mplskit("kernel.options", "--name", "router")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("An edge or transit router: several tables, several next hops, ")
    [line] = [line for line in done.stdout.splitlines() if line.split()[:1] == ["TCP_AO"]]
    assert line.split(maxsplit=4) == ["TCP_AO", "y", "since:", "6.7", line.split(maxsplit=4)[4]]
    assert "RFC 5925, its successor." in line
    assert done.stdout.count("Link bundles, LACP among their modes.") == 1


def test_the_task_gives_one_json_document(mplskit: CommandLine) -> None:
    listed = json.loads(mplskit("kernel.options", "--json").stdout)
    assert listed["options"][3] == {
        "name": "mpls",
        "settings": 5,
        "summary": "Label switching: what the running kernel must have been built with.",
    }
    assert [base["name"] for base in listed["bases"]] == ["debian", "defconfig", "guest", "running"]
    told = json.loads(mplskit("kernel.options", "--name", "mpls", "--json").stdout)
    assert (told["name"], told["kind"], Path(told["file"]).name) == ("mpls", "option set", "mpls.config")
    assert [(row["symbol"], row["value"], row["releases"]) for row in told["settings"]] == [
        ("MPLS", "y", ""),
        ("LWTUNNEL", "y", ""),
        ("MPLS_ROUTING", "m", ""),
        ("MPLS_IPTUNNEL", "m", ""),
        ("NET_MPLS_GSO", "m", ""),
    ]
    assert all(len(row["reason"]) > 20 for row in told["settings"])


def test_a_base_without_a_file_is_told_in_a_line(mplskit: CommandLine) -> None:
    done = mplskit("kernel.options", "--name", "defconfig")
    assert done.stdout == "The kernel's own default for this architecture.\n"


def test_an_unknown_name_exits_2(mplskit: CommandLine) -> None:
    done = mplskit("kernel.options", "--name", "ruter")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mplskit: error: ruter: neither an option set nor a base\nhint: did you mean router?")
