"""Debug information of a base: left out of every base that has it, unless somebody asks for it."""

import pytest

from mplskit.config.config_request import parse_set
from mplskit.config.debuginfo import without_debug_info
from mplskit.config.starting_point import StartingPoint

NEW = "CONFIG_DEBUG_INFO=y\nCONFIG_DEBUG_INFO_DWARF5=y\nCONFIG_DEBUG_INFO_BTF=y\n"
OLD = "CONFIG_DEBUG_INFO=y\nCONFIG_DEBUG_INFO_BTF=y\n"


def taken(text: str | None, version: str, *asked: str) -> list[str]:
    """The settings laid over a base with this text."""
    start = without_debug_info(StartingPoint("a file", text, ()), [parse_set(word) for word in asked], version)
    return [f"{setting.symbol}={setting.value}" for setting in start.settings]


@pytest.mark.parametrize(
    ("text", "version", "settings", "keep"),
    [
        (NEW, "6.12.117", ["DEBUG_INFO_NONE=y"], "DEBUG_INFO_DWARF5"),
        (NEW, "5.10.262", ["DEBUG_INFO=n"], "DEBUG_INFO"),
        (OLD, "5.10.262", ["DEBUG_INFO=n"], "DEBUG_INFO"),
        (OLD, "6.12.117", ["DEBUG_INFO_NONE=y"], "DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT"),
        ("CONFIG_DEBUG_INFO_DWARF4=y\n", "6.1.192", ["DEBUG_INFO_NONE=y"], "DEBUG_INFO_DWARF4"),
    ],
    ids=["choice", "newer-on-older", "bool", "older-on-newer", "savedefconfig"],
)
def test_debug_information_is_left_out_and_that_is_said_with_the_word_that_keeps_it(
    text: str, version: str, settings: list[str], keep: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taken(text, version) == settings
    assert capsys.readouterr().err == (
        f"! the base has debug information, hours and 20 GiB of it: {settings[0]} is taken; --set {keep}=y keeps it\n"
    )


@pytest.mark.parametrize("asked", ["DEBUG_INFO_BTF=y", "DEBUG_INFO_DWARF5=y", "DEBUG_INFO=y", "DEBUG_INFO_NONE=n"])
def test_debug_information_that_is_asked_for_stays(asked: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert taken(NEW, "6.12.117", asked) == []
    assert f"it stays: asked by --set {asked};" in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["DEBUG_INFO_BTF=n", "DEBUG_INFO_NONE=y", "DEBUG_FS=y"])
def test_who_asks_for_other_things_does_not_ask_for_it(asked: str) -> None:
    assert taken(NEW, "6.12.117", asked) == ["DEBUG_INFO_NONE=y"]


@pytest.mark.parametrize("text", [None, "", "CONFIG_NET=y\n", "# CONFIG_DEBUG_INFO is not set\n"])
def test_a_base_without_debug_information_is_left_as_it_is(
    text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert taken(text, "6.12.117") == []
    assert capsys.readouterr().err == ""
