import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import OutsideFailed
from mplskit.sources.apt import Offer, SourcePackageFile, parse_uris, stanzas
from mplskit.sources.kernel import newest

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


@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=1), max_size=4))
def test_stanzas_that_were_written_are_read_again(written: list[dict[str, str]]) -> None:
    text = "\n".join("".join(f"{name}: {value}\n" for name, value in fields.items()) for fields in written)
    assert stanzas(text) == written


@given(st.text())
def test_no_text_breaks_the_readers(text: str) -> None:
    stanzas(text)
    assert parse_uris(text) == []


def test_the_files_of_a_source_package_come_with_their_digests() -> None:
    digest = "0f" * 32
    text = (
        "Reading package lists...\n"
        f"'http://mirror.example/debian/iproute2_6.1.0-3.dsc' iproute2_6.1.0-3.dsc 2310 SHA256:{digest}\n"
        "'http://mirror.example/x/iproute2_6.1.0.orig.tar.xz' iproute2_6.1.0.orig.tar.xz 904800 MD5Sum:00\n"
    )
    assert parse_uris(text) == [SourcePackageFile("iproute2_6.1.0-3.dsc", digest)]


@given(st.lists(st.tuples(st.from_regex(r"[a-z0-9_.+~-]+", fullmatch=True), st.binary(min_size=32, max_size=32))))
def test_every_file_that_apt_names_is_read(wanted: list[tuple[str, bytes]]) -> None:
    text = "".join(f"'http://mirror.example/{name}' {name} 1 SHA256:{digest.hex()}\n" for name, digest in wanted)
    assert parse_uris(text) == [SourcePackageFile(name, digest.hex()) for name, digest in wanted]


def test_the_newest_kernel_is_the_highest_series_and_not_the_first_by_name() -> None:
    found = [Offer(f"linux-source-{series}", "1", "") for series in ("6.9", "6.12", "5.10", "6.1")]
    assert newest(found).package == "linux-source-6.12"


def test_a_machine_whose_apt_offers_no_kernel_source_is_told_what_to_do() -> None:
    with pytest.raises(OutsideFailed) as failed:
        newest([])
    assert failed.value.hint == "apt-get update"
    assert re.match("this machine's apt offers no linux-source package", failed.value.message)
