import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from mplskit.debian.apt_root import Offer, SourcePackageFile, parse_checksums, parse_madison
from mplskit.debian.archives import Archive, Repository, mapped, signed_by
from mplskit.debian.deb822 import stanza, stanzas
from mplskit.debian.versions import fits, order, split, upstream_version
from mplskit.errors import OutsideFailed, WrongInput
from mplskit.sources.debian_source import newest, offer_meant
from mplskit.sources.source_spec import Debian

SHOWN = """\
Package: linux-source-6.1
Version: 6.1.148-1
Description-en: Linux kernel source for version 6.1 with Debian patches
 This package provides source code for the Linux kernel.
 .
 The sources: patched.
SHA256: abc

Package: linux-source-6.12
Version: 6.12.43-1~bpo12+1

"""


def test_stanzas_are_told_apart_and_continuation_lines_stay_with_their_field() -> None:
    first, second = stanzas(SHOWN)
    assert first["Package"] == "linux-source-6.1" and first["SHA256"] == "abc"
    assert first["Description-en"].splitlines()[-1] == "The sources: patched."
    assert second == {"Package": "linux-source-6.12", "Version": "6.12.43-1~bpo12+1"}


@pytest.mark.parametrize("text", ["", "\n\n\n", "# only: a comment\n", "no colon here\n", " leading: space\n"])
def test_text_without_fields_has_no_stanzas(text: str) -> None:
    assert stanzas(text) == [] or text.startswith(" ")


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,12}", fullmatch=True)
VALUES = st.from_regex(r"[!-~]([ -~]{0,20}[!-~])?", fullmatch=True)
LONG_VALUES = st.lists(VALUES, min_size=1, max_size=3).map("\n".join)


@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), max_size=3))
def test_stanzas_that_were_written_are_read_again(written: list[dict[str, str]]) -> None:
    text = "\n".join("".join(f"{name}: {value}\n" for name, value in fields.items()) for fields in written)
    assert stanzas(text) == written


@given(st.lists(st.dictionaries(NAMES, LONG_VALUES, min_size=1, max_size=3), max_size=3))
def test_stanzas_with_long_values_are_written_so_that_they_are_read_again(written: list[dict[str, str]]) -> None:
    assert stanzas("\n".join(stanza(fields) for fields in written)) == written


@given(st.text())
def test_no_text_breaks_the_readers(text: str) -> None:
    stanzas(text)
    assert (parse_checksums(text), parse_madison(text)) == ([], {}) or "|" in text


def test_the_files_of_a_source_package_come_with_their_digests() -> None:
    digest = "0f" * 32
    text = f"\n{digest} 2310 iproute2_6.1.0-3.dsc\n{digest[:40]} 904800 iproute2_6.1.0.orig.tar.xz\n{digest} 9 ../x\n"
    assert parse_checksums(text) == [SourcePackageFile("iproute2_6.1.0-3.dsc", digest)]


@given(
    st.lists(st.tuples(st.from_regex(r"[a-z0-9][a-z0-9_.+~-]*", fullmatch=True), st.binary(min_size=32, max_size=32)))
)
def test_every_file_that_an_index_names_is_read(wanted: list[tuple[str, bytes]]) -> None:
    text = "".join(f"\n{digest.hex()} 1 {name}" for name, digest in wanted)
    assert parse_checksums(text) == [SourcePackageFile(name, digest.hex()) for name, digest in wanted]


def test_the_first_archive_of_each_version_is_read() -> None:
    text = """\
linux-source-6.1 |  6.1.192-2 | http://deb.debian.org/debian-security bookworm-security/main amd64 Packages
linux-source-6.1 |  6.1.176-1 | http://deb.debian.org/debian bookworm/main amd64 Packages
linux-source-6.1 |  6.1.176-1 | http://other.example/debian stable/non-free/x amd64 Packages
   linux | 6.1.176-1 | http://deb.debian.org/debian bookworm/main Sources
N: Unable to locate package x
"""
    assert parse_madison(text) == {
        ("linux-source-6.1", "6.1.192-2"): "bookworm-security",
        ("linux-source-6.1", "6.1.176-1"): "bookworm",
        ("linux", "6.1.176-1"): "bookworm",
    }


DEBIAN = "http://mirror.example/debian/"
SECURITY = "http://mirror.example/debian-security/"


def test_another_suite_is_had_from_where_the_host_has_its_own_with_the_hosts_keys() -> None:
    host = [
        Repository(SECURITY, "stable-security", "bookworm-security", "/keys/security.gpg"),
        Repository(DEBIAN, "stable", "bookworm", "/keys/debian.gpg"),
        Repository(DEBIAN, "stable-updates", "bookworm-updates", "/keys/debian.gpg"),
        Repository(DEBIAN, "bookworm-backports", "bookworm-backports", "/keys/debian.gpg"),
        Repository(DEBIAN, "stable", "bookworm", "/keys/debian.gpg"),
    ]
    assert mapped(host, "trixie") == [
        Archive(DEBIAN, "trixie", "deb deb-src", "/keys/debian.gpg"),
        Archive(DEBIAN, "trixie-updates", "deb deb-src", "/keys/debian.gpg"),
        Archive(SECURITY, "trixie-security", "deb deb-src", "/keys/security.gpg"),
    ]
    assert mapped(host, "trixie")[2].line() == "deb http://mirror.example/debian-security/ trixie-security main"
    # Unstable has neither updates nor security.
    assert mapped(host, "sid") == [Archive(DEBIAN, "sid", "deb deb-src", "/keys/debian.gpg")]


def test_a_host_with_security_updates_alone_has_no_mirror_of_suites() -> None:
    with pytest.raises(OutsideFailed, match="this machine's apt knows no Debian archive with a whole suite"):
        mapped([Repository(SECURITY, "bookworm-security", "bookworm-security", "")], "trixie")


def test_an_archive_is_written_as_a_source_of_apt_and_a_key_inside_stays_whole() -> None:
    key = "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nmDMEabc\n-----END PGP PUBLIC KEY BLOCK-----"
    assert Archive(DEBIAN, "trixie", "deb-src", key).stanza() == (
        "Types: deb-src\nURIs: http://mirror.example/debian/\nSuites: trixie\nComponents: main\n"
        "Targets: Packages Sources\nSigned-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEabc\n"
        " -----END PGP PUBLIC KEY BLOCK-----\n"
    )


@pytest.mark.parametrize(
    ("name", "number", "keys"),
    [
        ("a.list", 1, ""),
        ("a.list", 2, "/keys/a.gpg /keys/b.gpg"),
        ("a.list", 9, ""),
        ("a.sources", 1, "/keys/c.gpg"),
        ("a.sources", 2, "\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nmDMEabc\n-----END PGP PUBLIC KEY BLOCK-----"),
        ("a.sources", 3, ""),
        ("missing.list", 1, ""),
    ],
)
def test_the_keys_of_a_source_are_the_ones_that_its_entry_names(
    tmp_path: Path, name: str, number: int, keys: str
) -> None:
    (tmp_path / "a.list").write_text(
        "deb http://x/debian stable main\n"
        "deb [ arch=amd64 signed-by=/keys/a.gpg,/keys/b.gpg ] http://x/debian stable main\n"
    )
    (tmp_path / "a.sources").write_text(
        "# the first\nTypes: deb\nURIs: http://x/debian\nSuites: stable\nComponents: main\nSigned-By: /keys/c.gpg\n\n"
        "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEabc\n"
        " -----END PGP PUBLIC KEY BLOCK-----\n"
    )
    assert signed_by(f"{tmp_path / name}:{number}") == keys


def test_a_source_without_an_entry_names_no_keys() -> None:
    assert signed_by("") == ""


VERSIONS = st.from_regex(r"([0-9]:)?[0-9][A-Za-z0-9.+~]{0,6}(-[A-Za-z0-9.+~]{1,4})?", fullmatch=True)


@settings(max_examples=60)
@given(VERSIONS, VERSIONS)
def test_versions_are_ordered_as_dpkg_orders_them(one: str, other: str) -> None:
    def says(relation: str) -> bool:
        return subprocess.run(["dpkg", "--compare-versions", one, relation, other], check=False).returncode == 0

    assert (order(one) < order(other), order(one) == order(other)) == (says("lt"), says("eq"))


def test_versions_of_kernels_are_ordered() -> None:
    ordered = [
        *("5.10.262-1", "6.1.176-1", "6.1.192-1", "6.1.192-2", "6.12.9-1", "6.12.48-1~bpo12+1", "6.12.48-1~deb12u1"),
        *("6.12.48-1", "6.12.48-1+b1", "6.12.48-1.1", "7.3~rc2-1~exp1", "7.3~rc10-1~exp1", "7.3-1", "1:2.0-1"),
    ]
    assert sorted(set(ordered), key=order) == ordered


@pytest.mark.parametrize(
    ("version", "parts"),
    [
        ("6.12.48-1", ("0", "6.12.48", "1")),
        ("6.12.48", ("0", "6.12.48", "0")),
        ("1:6.12-rc1-1", ("1", "6.12-rc1", "1")),
    ],
)
def test_a_version_has_three_parts(version: str, parts: tuple[str, str, str]) -> None:
    assert split(version) == parts


@pytest.mark.parametrize(
    ("version", "upstream"),
    [
        ("7.3~rc2-1~exp1", "7.3rc2"),
        ("6.12.48-1~bpo12+1", "6.12.48"),
        ("6.1.0+dfsg-1", "6.1.0"),
        ("6.12.48", "6.12.48"),
        ("what?", "0.dev0"),
    ],
)
def test_the_upstream_part_is_one_for_packaging(version: str, upstream: str) -> None:
    assert upstream_version(version) == Version(upstream)


@given(st.text())
def test_no_text_breaks_the_readers_of_versions(text: str) -> None:
    split(text), upstream_version(text), fits(text, text)


@pytest.mark.parametrize(
    ("wanted", "fitting"),
    [
        ("6.1", ["6.1.192-2", "6.1.192-1"]),
        ("6.1.192", ["6.1.192-2", "6.1.192-1"]),
        ("6.1.192-1", ["6.1.192-1"]),
        ("6.12", ["6.12.48-1~bpo12+1"]),
        ("7.3", ["7.3~rc2-1~exp1"]),
        ("6", ["6.1.192-2", "6.1.192-1", "6.12.48-1~bpo12+1"]),
        ("6.1.19", []),
    ],
)
def test_a_version_fits_by_itself_by_its_upstream_part_or_by_its_series(wanted: str, fitting: list[str]) -> None:
    offered = ["6.1.192-2", "6.1.192-1", "6.12.48-1~bpo12+1", "7.3~rc2-1~exp1"]
    assert [version for version in offered if fits(version, wanted)] == fitting


OFFERS = [
    Offer("linux-source-6.1", "6.1.192-2", "a"),
    Offer("linux-source-6.1", "6.1.176-1", "b"),
    Offer("linux-source-6.12", "6.12.48-1~deb12u1", "c"),
]


@pytest.mark.parametrize(("wanted", "sha256"), [(None, "c"), ("6.1", "a"), ("6.1.176-1", "b"), ("6", "c")])
def test_the_first_fitting_offer_of_the_highest_series_is_chosen(wanted: str | None, sha256: str) -> None:
    assert offer_meant(OFFERS, Debian("bookworm", wanted)).sha256 == sha256


def test_a_version_that_is_not_offered_is_wrong_input() -> None:
    with pytest.raises(WrongInput) as failed:
        offer_meant(OFFERS, Debian("bookworm", "5.10"))
    assert failed.value.detail == "offered:\n6.12.48-1~deb12u1\n6.1.192-2\n6.1.176-1"


def test_the_newest_kernel_is_the_highest_series_and_not_the_first_by_name() -> None:
    found = [Offer(f"linux-source-{series}", "1", "") for series in ("6.9", "6.12", "5.10", "6.1")]
    assert newest(found).package == "linux-source-6.12"


def test_a_machine_whose_apt_offers_no_kernel_source_is_told_what_to_do() -> None:
    with pytest.raises(OutsideFailed) as failed:
        newest([])
    assert failed.value.hint == "apt-get update"
    assert re.match("this machine's apt offers no linux-source package", failed.value.message)
