import subprocess
from pathlib import Path

import pytest

from mplskit.errors import BuildFailed, WrongInput
from mplskit.iproute2.packaging import INSTALL, Packaging, changelog_entry, debian_version
from mplskit.sources.source_tree import SourceTree

DEBIAN = """\
iproute2 (6.1.0-3) unstable; urgency=medium

  * Add patch to fix tests. (Closes: #1)

 -- A Maintainer <maintainer@debian.org>  Mon, 08 May 2023 19:49:38 +0100

iproute2 (6.1.0-2) unstable; urgency=medium

  * Older.

 -- A Maintainer <maintainer@debian.org>  Sat, 18 Feb 2023 10:00:00 +0000
"""


def test_our_entry_stands_on_top_with_the_distribution_and_date_of_debians() -> None:
    text = changelog_entry(DEBIAN, "6.1.0-3+mpls1", "from the source package below without changes.")
    assert text.endswith(DEBIAN)
    assert text.removesuffix(DEBIAN) == (
        "iproute2 (6.1.0-3+mpls1) unstable; urgency=medium\n\n"
        "  * Built by mplskit, from the source package below without changes.\n\n"
        " -- mplskit <mplskit@localhost>  Mon, 08 May 2023 19:49:38 +0100\n\n"
    )


def test_dpkg_reads_our_entry() -> None:
    shown = subprocess.run(
        ["dpkg-parsechangelog", "--file", "-"],
        input=changelog_entry(DEBIAN, "6.1.0-3+mpls1", "from the source package below without changes."),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stderr == ""
    assert "\nVersion: 6.1.0-3+mpls1\nDistribution: unstable\n" in shown.stdout


@pytest.mark.parametrize("text", ["", "no entry\n", "iproute2 (1) unstable; urgency=low\n", "other (1) unstable; x\n"])
def test_a_changelog_that_is_none_stops_the_build(text: str) -> None:
    with pytest.raises(BuildFailed, match="does not begin with an entry"):
        changelog_entry(text, "1+mpls1", "")


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
        ("6.14.0-1", "6.15.0-0+mpls1"),
        ("6.15.0~rc1-0+mpls1", "6.15.0-0+mpls1"),
        ("6.15.0-0+mpls1", "6.15.0+77+gb687d10-0+mpls1"),
        ("6.15.0+77+gb687d10-0+mpls1", "6.15.1-1"),
        ("6.15.0-0+mpls9", "6.15.0-1"),
        ("6.15.0-0+mpls1", "6.15.0-1~bpo13+1"),
    ],
)
def test_our_version_upgrades_debians_and_is_upgraded_by_the_next(older: str, newer: str) -> None:
    assert subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False).returncode == 0


@pytest.mark.parametrize(
    ("upstream", "debian"),
    [("6.12.0", "6.12.0"), ("6.12.0-rc1", "6.12.0~rc1"), ("v5.7.0-77-gb687d1067169", "5.7.0+77+gb687d1067169")],
)
def test_upstreams_version_is_written_as_debian_orders_it(upstream: str, debian: str) -> None:
    assert debian_version(upstream) == debian


@pytest.mark.parametrize("upstream", ["SNAPSHOT", "", "6.1 0", "6.1_0"])
def test_a_version_that_no_package_can_have_is_wrong_input(upstream: str) -> None:
    with pytest.raises(WrongInput, match="which no package can have"):
        debian_version(upstream)


def source(folder: Path, version: str, digest: str, **files: str) -> SourceTree:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return SourceTree("iproute2", version, "", "", digest, folder)


def test_debians_source_is_built_with_its_own_packaging_and_patches(tmp_path: Path) -> None:
    tree = source(tmp_path / "a", "6.1.0-3", "d1", debian__changelog=DEBIAN, debian__patches__series="x.diff\n")
    packaging = Packaging(None)
    assert packaging.version(tree, 2) == "6.1.0-3+mpls2"
    assert packaging.inputs(tree) == ["d1"]
    packaging.copy(tree, "6.1.0-3+mpls2", tmp_path / "copy")
    assert (tmp_path / "copy/debian/patches/series").is_file()
    assert "from the source package below without changes." in (tmp_path / "copy/debian/changelog").read_text()
    assert (tmp_path / "a/debian/changelog").read_text() == DEBIAN


def test_upstreams_source_is_built_with_debians_packaging_and_without_its_patches(tmp_path: Path) -> None:
    theirs = {
        "debian__changelog": DEBIAN,
        "debian__patches__series": "x.diff\n",
        "debian__rules": "override_dh_shlibdeps:\n\tdh_shlibdeps -Xq_atm.so\n",
        "debian__iproute2.install": "sbin/ip /bin\n",
        "Makefile": "old",
    }
    debian = source(tmp_path / "debian", "6.1.0-3", "d1", **theirs)
    upstream = source(tmp_path / "upstream", "6.12.0-rc1", "d2", Makefile="new", **{".git__HEAD": "x"})
    upstream.path.chmod(0o555)
    packaging = Packaging(debian)
    assert packaging.version(upstream, 1) == "6.12.0~rc1-0+mpls1"
    assert packaging.inputs(upstream)[:2] == ["d2", "d1"]
    packaging.copy(upstream, "6.12.0~rc1-0+mpls1", tmp_path / "copy")
    names = sorted(
        str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()
    )
    assert names == [
        *("Makefile", "debian/changelog", "debian/iproute2.install", "debian/iproute2.install.debian", "debian/rules")
    ]
    assert (tmp_path / "copy/Makefile").read_text() == "new"
    assert (
        (tmp_path / "copy/debian/changelog")
        .read_text()
        .startswith(
            "iproute2 (6.12.0~rc1-0+mpls1) unstable; urgency=medium\n\n"
            "  * Built by mplskit, iproute2 6.12.0-rc1 with the packaging of the version below.\n"
        )
    )
    assert not (tmp_path / "upstream/debian").exists()
    # Of two recipes make takes the last.
    dry = ["make", "--silent", "--dry-run", "-f", str(tmp_path / "copy/debian/rules"), "override_dh_shlibdeps"]
    assert subprocess.run(dry, capture_output=True, text=True, check=True).stdout == "dh_shlibdeps -a\n"


def test_what_debians_list_does_not_know_is_installed_and_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    made = ("sbin/ip", "sbin/dpll", "sbin/tc", "sbin/ifstat", "usr/share/iproute2/rt_protos", "usr/share/man/man8/ip.8")
    for name in (*(f"debian/tmp/{name}" for name in made), "etc/group", "man/ip-a.8", "man/ip-b.8"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "debian/not-installed").write_text("sbin/ifstat\n")
    (tmp_path / "debian/iproute2.install.debian").write_text(
        "# a comment\netc/\nsbin/ip /bin\nsbin/gone\n\nsbin/tc\nusr/share/man/\nman/ip-*.8 usr/share/x\n"
    )
    done = subprocess.run(["sh", INSTALL], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert [line.split() for line in done.stdout.splitlines() if line.strip()] == [
        ["etc/"],
        ["debian/tmp/sbin/ip", "/bin"],
        ["debian/tmp/sbin/tc"],
        ["debian/tmp/usr/share/man/"],
        ["man/ip-a.8", "usr/share/x"],
        ["man/ip-b.8", "usr/share/x"],
        ["debian/tmp/sbin/dpll"],
        ["debian/tmp/usr/share/iproute2/rt_protos"],
    ]
