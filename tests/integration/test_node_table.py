"""A label table that is larger than the spec's stays so at the next boot. /proc/sys/net/mpls is files of ours here."""

from pathlib import Path

import pytest

from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import SPEC, contained

pytestmark = pytest.mark.usefixtures("namespaces")

FILE, KEY = "/etc/sysctl.d/90-mplskit.conf", "net/mpls/platform_labels"
LIVE = """\
mkdir -p /run/net /etc/sysctl.d && mount --rbind /proc/sys/net /run/net && mount -t tmpfs none /proc/sys/net || exit
for folder in /run/net/*/; do
    mkdir "/proc/sys/net/${{folder#/run/net/}}" && mount --rbind "$folder" "/proc/sys/net/${{folder#/run/net/}}"
done
mkdir /proc/sys/net/mpls; echo {live} >/proc/sys/net/mpls/platform_labels
look() {{ grep -h ^{key} {file}; cat /proc/sys/{key}; }}
apply() {{ sh "$APPLY" "$@" | grep -E '{file}|{key}'; }}
"""
STAYS = "stays 200000: making it 100000 would delete the label routes from 100000 on (--allow shrink)"


def seen(folder: Path, script: str, live: int = 200_000) -> list[Item | str]:
    stage(folder / "stage", SPEC)
    return contained(folder / "stage", LIVE.format(live=live, key=KEY, file=FILE) + script)


def test_the_file_says_what_is_live_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    assert seen(tmp_path, "apply node; look; apply plan; apply node; look") == [
        Item("changed", "file", FILE, "written"),
        Item("note", "sysctl", KEY, STAYS),
        *(f"{KEY} = 200000", "200000"),
        *(Item("same", "file", FILE, ""), Item("note", "sysctl", KEY, STAYS)) * 2,
        *(f"{KEY} = 200000", "200000"),
    ]


def test_it_shrinks_in_both_places_where_that_is_allowed(tmp_path: Path) -> None:
    assert seen(tmp_path, "apply node >/dev/null; apply node shrink; look") == [
        Item("changed", "file", FILE, "changed"),
        Item("changed", "sysctl", KEY, "200000 -> 100000"),
        *(f"{KEY} = 100000", "100000"),
    ]


@pytest.mark.parametrize("mode", ["node", "image"])
def test_what_a_file_of_somebody_else_asks_for_is_not_made_less(mode: str, tmp_path: Path) -> None:
    theirs = "echo 'net.mpls.platform_labels = 500000' >/etc/sysctl.d/50-frr.conf"
    said = seen(tmp_path, f"{theirs}; apply {mode} >/dev/null; look", live=0)
    assert said == [f"{KEY} = 500000", "500000" if mode == "node" else "0"]


def test_a_size_that_no_kernel_takes_is_not_adopted_from_a_file_of_somebody_else(tmp_path: Path) -> None:
    theirs = "echo 'net.mpls.platform_labels = 1048576' >/etc/sysctl.d/99-mpls.conf"
    assert seen(tmp_path, f"{theirs}; apply node >/dev/null; look", live=0) == [f"{KEY} = 100000", "100000"]


def test_an_image_does_not_get_the_table_of_the_machine_that_makes_it(tmp_path: Path) -> None:
    assert seen(tmp_path, "apply image >/dev/null; look") == [f"{KEY} = 100000", "200000"]


def test_a_table_that_is_gone_for_now_comes_back_as_large_and_goes_with_us_as_it_was(tmp_path: Path) -> None:
    """mpls_router was loaded anew, and is 0: what our file said is what others may count on."""
    script = "apply node >/dev/null; echo 0 >/proc/sys/net/mpls/platform_labels; apply node; look"
    assert seen(tmp_path, f'{script}; sh "$APPLY" remove >/dev/null; cat /proc/sys/{KEY}; ls {FILE}') == [
        Item("same", "file", FILE, ""),
        Item("changed", "sysctl", KEY, "0 -> 200000"),
        *(f"{KEY} = 200000", "200000"),
        "200000",
    ]
