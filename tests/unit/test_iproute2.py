import subprocess

import pytest

from mplskit.errors import BuildFailed
from mplskit.iproute2.build import changelog_entry

DEBIAN = """\
iproute2 (6.1.0-3) unstable; urgency=medium

  * Add patch to fix tests. (Closes: #1)

 -- A Maintainer <maintainer@debian.org>  Mon, 08 May 2023 19:49:38 +0100

iproute2 (6.1.0-2) unstable; urgency=medium

  * Older.

 -- A Maintainer <maintainer@debian.org>  Sat, 18 Feb 2023 10:00:00 +0000
"""


def test_our_entry_stands_on_top_with_the_distribution_and_date_of_debians() -> None:
    text = changelog_entry(DEBIAN, "6.1.0-3+mpls1")
    assert text.endswith(DEBIAN)
    assert text.removesuffix(DEBIAN) == (
        "iproute2 (6.1.0-3+mpls1) unstable; urgency=medium\n\n"
        "  * Built by mplskit, from the source package below without changes.\n\n"
        " -- mplskit <mplskit@localhost>  Mon, 08 May 2023 19:49:38 +0100\n\n"
    )


def test_dpkg_reads_our_entry() -> None:
    shown = subprocess.run(
        ["dpkg-parsechangelog", "--file", "-"],
        input=changelog_entry(DEBIAN, "6.1.0-3+mpls1"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert "\nVersion: 6.1.0-3+mpls1\nDistribution: unstable\n" in shown.stdout


@pytest.mark.parametrize("text", ["", "no entry\n", "iproute2 (1) unstable; urgency=low\n", "other (1) unstable; x\n"])
def test_a_changelog_that_is_none_stops_the_build(text: str) -> None:
    with pytest.raises(BuildFailed, match="does not begin with an entry"):
        changelog_entry(text, "1+mpls1")


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("6.1.0-3", "6.1.0-3+mpls1"),
        ("6.1.0-3+b1", "6.1.0-3+mpls1"),
        ("6.1.0-3+deb12u1", "6.1.0-3+deb12u1+mpls1"),
        ("6.1.0-3+mpls1", "6.1.0-3+mpls2"),
        ("6.1.0-3+mpls9", "6.1.0-3+mpls10"),
        ("6.1.0-3+mpls1", "6.1.0-4"),
        ("6.1.0-3+mpls1", "6.1.0-10"),
        ("6.1.0-3+mpls1", "6.2.0-1~bpo12+1"),
        ("6.15.0-1+mpls1", "6.15.0-1.1"),
    ],
)
def test_our_version_upgrades_debians_and_is_upgraded_by_the_next(older: str, newer: str) -> None:
    assert subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False).returncode == 0
