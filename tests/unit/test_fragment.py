from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.config.fragment import Setting, apply, parse_config, parse_fragment, read_fragment
from mplskit.config.releases import release_of
from mplskit.errors import WrongInput


def values(settings: list[Setting]) -> list[tuple[str, str]]:
    return [(setting.symbol, setting.value) for setting in settings]


def test_a_fragment_is_read_in_its_order_with_file_and_line() -> None:
    text = '# why\nCONFIG_MPLS=y\n\nCONFIG_NR_CPUS=64\r\n# CONFIG_WLAN is not set\nCONFIG_CMDLINE="a \\"b\\" \\\\"\n'
    assert parse_fragment(text, "lab.config") == [
        Setting("MPLS", "y", "lab.config:2"),
        Setting("NR_CPUS", "64", "lab.config:4"),
        Setting("WLAN", "n", "lab.config:5"),
        Setting("CMDLINE", r'"a \"b\" \\"', "lab.config:6"),
    ]


@pytest.mark.parametrize("value", ["y", "m", "n", "0", "-1", "64", "0x1000000", "0XfF", '""', r'"\\"', '"#"', '"=y"'])
def test_every_kind_of_value_is_read_from_fragments_and_from_finished_configurations(value: str) -> None:
    assert values(parse_fragment(f"CONFIG_X={value}", "f")) == [("X", value)]
    assert parse_config(f"CONFIG_A=y\nCONFIG_X={value}\nCONFIG_B=m\n") == {
        "A": "y",
        **({} if value == "n" else {"X": value}),
        "B": "m",
    }


@pytest.mark.parametrize(
    "line",
    ["CONFIG_MPLS", "CONFIG_MPLS=", "CONFIG_MPLS=Y", "CONFIG_MPLS = y", "MPLS=y", "CONFIG_A=0x", 'CONFIG_A="', "=y",
     'CONFIG_A="\\"', "CONFIG_A=text", " CONFIG_MPLS=y", "CONFIG_É=y", "CONFIG_MPLS is not set",
     "# CONFIG_A is not set "],
)  # fmt: skip
def test_a_line_that_the_kernel_would_not_read_is_refused_with_its_place(line: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_fragment(f"CONFIG_NET=y\n{line}\n", "my.config")
    assert refused.value.message == f"my.config:2: {line!r} is no kernel setting"


@pytest.mark.parametrize(
    ("line", "value"),
    [("CONFIG_A=yes", "y"), ("CONFIG_A=m # why", "m"), ("CONFIG_A=y \t", "y"), ('CONFIG_A="a"b"', '"a"'),
     ('CONFIG_A="a\\b" # why', '"ab"'), ("CONFIG_A=ff", "ff")],
)  # fmt: skip
def test_what_stands_behind_a_value_is_passed_over_as_the_kernel_does(line: str, value: str) -> None:
    assert values(parse_fragment(line, "f")) == [("A", value)]
    assert parse_config(f"{line}\r\n") == {"A": value}


def test_a_finished_configuration_leaves_out_what_is_not_set_and_what_only_looks_like_a_setting() -> None:
    text = (
        '#\n# CONFIG_A=y is a comment\n# CONFIG_B is not set\nCONFIG_CMDLINE="x CONFIG_C=y CONFIG_D=m"\n'
        "# CONFIG_E=m\nCONFIG_PHYSICAL_START=0x1000000\n"
    )
    assert parse_config(text) == {"CMDLINE": '"x CONFIG_C=y CONFIG_D=m"', "PHYSICAL_START": "0x1000000"}


def test_settings_come_last_and_their_former_lines_go() -> None:
    before = "# head\nCONFIG_NET=y\n# CONFIG_MPLS is not set\nCONFIG_WLAN=m\nCONFIG_MPLS_GSO=y"
    after = apply(before, [Setting("WLAN", "n", ""), Setting("MPLS", "y", ""), Setting("VETH", "m", "")])
    assert after == (
        "# head\nCONFIG_NET=y\nCONFIG_MPLS_GSO=y\n# CONFIG_WLAN is not set\nCONFIG_MPLS=y\nCONFIG_VETH=m\n"
    )


def test_the_last_setting_of_a_symbol_wins() -> None:
    assert apply("", [Setting("MPLS", "n", "a"), Setting("MPLS", "y", "b")]) == "CONFIG_MPLS=y\n"


def test_a_value_with_a_backslash_is_written_as_it_is() -> None:
    assert apply("CONFIG_X=y\n", [Setting("X", r'"\1 \g<0> \\"', "")]) == 'CONFIG_X="\\1 \\g<0> \\\\"\n'


SYMBOLS = st.from_regex(r"[A-Z0-9][A-Z0-9_]{0,8}", fullmatch=True)
STRINGS = st.text(
    st.characters(exclude_characters="\n\r", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12
).map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
VALUES = st.one_of(st.sampled_from(["y", "m", "n"]), st.integers().map(str), st.integers(0).map(hex), STRINGS)
SETTING = st.builds(Setting, SYMBOLS, VALUES, st.just(""))
SETTINGS = st.lists(SETTING, max_size=8)
# A configuration that the kernel wrote names each symbol once.
WRITTEN = st.lists(SETTING, max_size=8, unique_by=lambda setting: setting.symbol)


def config_text(settings: list[Setting]) -> str:
    return "".join(f"{setting.line()}\n" for setting in settings)


@given(SETTINGS)
def test_what_is_written_is_read_again(settings: list[Setting]) -> None:
    assert values(parse_fragment(config_text(settings), "f")) == values(settings)


@given(WRITTEN, SETTINGS)
def test_an_edited_configuration_holds_what_was_asked_and_keeps_the_rest(
    before: list[Setting], asked: list[Setting]
) -> None:
    kept, wanted = (dict(values(settings)) for settings in (before, asked))
    held = parse_config(apply(config_text(before), asked))
    assert held == {symbol: value for symbol, value in {**kept, **wanted}.items() if value != "n"}


@given(WRITTEN, SETTINGS)
def test_editing_twice_changes_nothing_more(before: list[Setting], asked: list[Setting]) -> None:
    once = apply(config_text(before), asked)
    assert apply(once, asked) == once


@given(st.text())
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        parse_fragment(text, "f")
    except WrongInput as refused:
        assert refused.message.startswith("f:")
    parse_config(text)


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\x7fELF\xff\xfe")
    for name in ("none", "binary", "."):
        with pytest.raises(WrongInput):
            read_fragment(tmp_path / name)


def test_a_comment_is_the_reason_of_the_settings_below_it_up_to_an_empty_line_or_the_next_comment() -> None:
    text = (
        "# What this file is for.\n\n# Links,\n# and what\n# they need.\nCONFIG_VETH=m\nCONFIG_DUMMY=m\n"
        "# Tagged.\nCONFIG_VLAN_8021Q=m\n\nCONFIG_NET=y\n## Heading\nCONFIG_INET=y\n"
    )
    assert [(setting.symbol, setting.reason) for setting in parse_fragment(text, "f")] == [
        ("VETH", "Links, and what they need."),
        ("DUMMY", "Links, and what they need."),
        ("VLAN_8021Q", "Tagged."),
        ("NET", ""),
        ("INET", ""),
    ]


def test_a_mark_holds_for_the_next_setting_only_and_leaves_the_reason_to_all() -> None:
    text = (
        "# Meltdown.\n# until: 6.8\nCONFIG_OLD=y\n# since: 6.9\nCONFIG_NEW=y\nCONFIG_ALWAYS=y\n\n"
        "# since: 5.13\n# until: 6.11\n# A span.\n# CONFIG_SPAN is not set\n"
    )
    assert parse_fragment(text, "f") == [
        Setting("OLD", "y", "f:3", until=(6, 8)),
        Setting("NEW", "y", "f:5", since=(6, 9)),
        Setting("ALWAYS", "y", "f:6"),
        Setting("SPAN", "n", "f:11", since=(5, 13), until=(6, 11)),
    ]
    assert [setting.reason for setting in parse_fragment(text, "f")] == ["Meltdown."] * 3 + ["A span."]


@pytest.mark.parametrize(
    "between",
    ["\n", "## Heading\n", "# CONFIG_BAREUDP=m\n", "#CONFIG_BAREUDP=m\n"],
    ids=["an empty line", "a heading", "a setting that is commented out", "one without a space"],
)
def test_a_mark_goes_no_further_than_the_setting_right_below_it(between: str) -> None:
    assert parse_fragment(f"# since: 5.7\n{between}CONFIG_VXLAN=m\n", "f")[0].since is None


@pytest.mark.parametrize(
    "comment", ["# Since 4.1: the switch", "# since: 4.1, the switch", "# since: ever", "# until:", "# since:"]
)
def test_prose_about_releases_is_no_mark(comment: str) -> None:
    [setting] = parse_fragment(f"{comment}\nCONFIG_MPLS=y\n", "f")
    assert setting.marks() == []


@pytest.mark.parametrize("release", ["5.x", "6", "5.19.1", "5.19-rc1", "5.", "6.8,"])
def test_a_mark_that_names_no_release_is_refused_with_its_place(release: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_fragment(f"# why\n# since: {release}\nCONFIG_MPLS=y\n", "my.config")
    assert refused.value.message == f"my.config:2: '# since: {release}' names no release of Linux"


@pytest.mark.parametrize(
    ("since", "until", "version", "asked"),
    [
        (None, None, "5.10.223", True),
        ((5, 19), None, "5.18.19", False),
        ((5, 19), None, "5.19.0", True),
        ((5, 19), None, "6.1", True),
        ((5, 9), None, "5.10.223", True),
        (None, (6, 8), "6.8.12", True),
        (None, (6, 8), "6.9-rc1", False),
        (None, (6, 8), "6.12.107", False),
        ((5, 13), (6, 11), "5.12.1", False),
        ((5, 13), (6, 11), "6.1.176", True),
        ((5, 13), (6, 11), "7.2.13", False),
    ],
)
def test_a_setting_is_asked_of_its_releases_both_ends_included(
    since: tuple[int, int] | None, until: tuple[int, int] | None, version: str, asked: bool
) -> None:
    assert Setting("X", "y", "f:1", since, until).is_for(version) is asked


@pytest.mark.parametrize("version", ["", "linux", "6", "v6.1", ".1"])
def test_a_text_that_begins_with_no_two_numbers_is_no_kernel_version(version: str) -> None:
    with pytest.raises(ValueError, match="is no kernel version"):
        release_of(version)


RELEASES = st.none() | st.tuples(st.integers(0, 9999), st.integers(0, 9999))
MARKED = st.builds(Setting, SYMBOLS, VALUES, st.just(""), RELEASES, RELEASES).filter(
    lambda setting: not setting.since or not setting.until or setting.since <= setting.until
)


@given(st.lists(MARKED, max_size=8))
def test_marks_that_are_written_are_read_again(settings: list[Setting]) -> None:
    lines = [line for s in settings for line in (*(f"# {mark}" for mark in s.marks()), s.line())]
    found = parse_fragment("\n".join(lines), "f")
    assert [(s.symbol, s.value, s.since, s.until) for s in found] == [
        (s.symbol, s.value, s.since, s.until) for s in settings
    ]


LINES = st.sampled_from(
    ["# since: 5.19", "# until: 6.8", "# since: 5", "# why", "## Heading", "", "# CONFIG_A is not set", "CONFIG_B=m",
     "# CONFIG_C=y", "CONFIG_B=maybe", "#", "# since:"],
)  # fmt: skip


@given(st.lists(LINES | st.text(max_size=9), max_size=12))
def test_no_mixture_of_lines_does_more_than_be_refused_with_its_line(lines: list[str]) -> None:
    try:
        found = parse_fragment("\n".join(lines), "f")
    except WrongInput as refused:
        assert refused.message.startswith("f:")
    else:
        assert len(found) <= sum(part.count("CONFIG_") for part in lines)


def test_of_a_choice_the_last_word_comes_last() -> None:
    asked = [Setting("HZ_100", "n", ""), Setting("HZ_300", "y", ""), Setting("HZ_100", "y", "")]
    assert apply("", asked) == "CONFIG_HZ_300=y\nCONFIG_HZ_100=y\n"


@pytest.mark.parametrize("line", ["# since 6.1", "#until 5.10", "# since : 6.1"])
def test_a_mark_that_is_nearly_one_is_no_reason(line: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_fragment(f"{line}\nCONFIG_MPLS=y\n", "f")
    assert refused.value.message == f"f:1: {line!r} is nearly a mark of releases"


def test_a_span_without_a_release_in_it_is_refused() -> None:
    with pytest.raises(WrongInput) as refused:
        parse_fragment("# since: 6.1\n# until: 5.10\nCONFIG_MPLS=y\n", "f")
    assert refused.value.message == "f:3: MPLS is for no release: since: 6.1, until: 5.10"
