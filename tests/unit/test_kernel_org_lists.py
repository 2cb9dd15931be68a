"""What kernel.org's lists and specs say, as pure functions."""

import json
from string import printable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import Failure, OutsideFailed, WrongInput
from mplskit.sources.kernel_org_list import (
    Release,
    archive_name,
    folder_url,
    newest_of_series,
    parse_checksums,
    parse_releases,
    series_of,
    versions,
)
from mplskit.sources.kernel_org_version import version_of
from mplskit.sources.network_settings import Network
from mplskit.sources.source_cache import IPROUTE2, LINUX
from mplskit.sources.source_spec import KernelOrg, parse_spec

DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
VERSIONS = st.builds("{}.{}.{}".format, *3 * [st.integers(3, 99999)])


def entry(version: str, moniker: str = "stable", **more: object) -> dict[str, object]:
    return {"version": version, "moniker": moniker, "iseol": False, "released": {"isodate": "2025-11-14"}, **more}


def test_releases_are_ordered_as_versions_and_linux_next_is_left_out() -> None:
    text = json.dumps(
        {
            "latest_stable": {"version": "6.17.8"},
            "releases": [
                entry("6.18-rc6", "mainline"),
                entry("6.9.12", iseol=True),
                entry("6.17.8"),
                entry("next-20251114", "linux-next"),
                entry("6.12.58", "longterm", released={"timestamp": 1}),
                entry("6.18", "mainline"),
            ],
        }
    )
    assert parse_releases(text) == [
        Release("6.18", "mainline", "2025-11-14", False),
        Release("6.18-rc6", "mainline", "2025-11-14", False),
        Release("6.17.8", "stable", "2025-11-14", False),
        Release("6.12.58", "longterm", "", False),
        Release("6.9.12", "stable", "2025-11-14", True),
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", '{"releases": {"a": 1}}', '{"releases": [{}]}', "[" * 100_000]
)
def test_what_is_no_list_of_releases_is_refused(text: str) -> None:
    with pytest.raises(OutsideFailed, match="is no list of kernel releases"):
        parse_releases(text)


def test_a_version_that_could_lead_elsewhere_is_no_version() -> None:
    text = json.dumps({"releases": [entry("../../6.12"), entry("6.12/../7.1"), entry("6.12.1\n"), entry("٦.١")]})
    assert parse_releases(text) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(
    st.text()
    | JSON.map(json.dumps)
    | st.lists(JSON | st.fixed_dictionaries({"version": JSON, "moniker": JSON, "iseol": JSON, "released": JSON})).map(
        lambda listed: json.dumps({"releases": listed})
    )
)
def test_any_text_is_a_list_of_releases_or_an_error(text: str) -> None:
    try:
        found = parse_releases(text)
    except OutsideFailed:
        return
    assert all(isinstance(one, Release) for one in found)


def test_checksums_are_lines_of_a_digest_and_a_name() -> None:
    text = f"{DIGEST}  linux-6.1.tar.xz\n{DIGEST}  *linux-6.2.tar.xz\nbeef  linux-6.3.tar.xz\n{DIGEST} a b\n{DIGEST}\n"
    assert parse_checksums(text) == {"linux-6.1.tar.xz": DIGEST, "*linux-6.2.tar.xz": DIGEST}


@given(st.text(alphabet=printable))
def test_any_text_has_checksums_or_none(text: str) -> None:
    assert all(len(digest) == 64 for digest in parse_checksums(text).values())


@given(st.dictionaries(st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True), st.binary(min_size=32, max_size=32)))
def test_a_list_of_checksums_comes_back(listed: dict[str, bytes]) -> None:
    text = "".join(f"{digest.hex()}  {name}\n" for name, digest in listed.items())
    assert parse_checksums(text) == {name: digest.hex() for name, digest in listed.items()}


def test_versions_are_taken_from_the_names_of_archives_alone() -> None:
    names = ["linux-6.1.tar.xz", "linux-6.1.10.tar.xz", "linux-6.1.9.tar.xz", "patch-6.1.11.xz", "linux-6.1.12.tar.gz"]
    names += ["iproute2-6.1.0.tar.xz", "linux-6.2-rc1.tar.xz", "linux-6..3.tar.xz", "ChangeLog-6.1"]
    assert versions(LINUX, names) == ["6.1.10", "6.1.9", "6.1.0"]
    assert versions(IPROUTE2, names) == ["6.1.0"]


def test_the_newest_of_each_series_is_offered() -> None:
    names = ["iproute2-6.9.0.tar.xz", "iproute2-6.10.0.tar.xz", "iproute2-5.9.1.tar.xz", "iproute2-5.9.0.tar.xz"]
    assert newest_of_series(IPROUTE2, dict.fromkeys(names, DIGEST)) == [
        Release("6.10.0", "stable", "", False),
        Release("6.9.0", "stable", "", True),
        Release("5.9.1", "stable", "", True),
    ]


@pytest.mark.parametrize(
    ("software", "version", "name", "folder"),
    [
        (LINUX, "6.12.0", "linux-6.12.tar.xz", "https://m/kernel/v6.x"),
        (LINUX, "6.12.10", "linux-6.12.10.tar.xz", "https://m/kernel/v6.x"),
        (LINUX, "10.1.100", "linux-10.1.100.tar.xz", "https://m/kernel/v10.x"),
        (IPROUTE2, "6.12.0", "iproute2-6.12.0.tar.xz", "https://m/utils/net/iproute2"),
    ],
)
def test_an_archive_is_named_and_placed_as_kernel_org_does(
    software: object, version: str, name: str, folder: str
) -> None:
    chosen = LINUX if software is LINUX else IPROUTE2
    assert archive_name(chosen, version) == name
    assert folder_url(chosen, version, Network("https://m")) == folder


@given(VERSIONS)
def test_the_name_of_an_archive_gives_its_version_back(version: str) -> None:
    assert versions(LINUX, [archive_name(LINUX, version)]) == [version]
    assert versions(IPROUTE2, [archive_name(IPROUTE2, version)]) == [version]


@given(VERSIONS)
def test_an_exact_version_is_itself_without_asking_anybody(version: str) -> None:
    nowhere = Network("http://127.0.0.1:1", "http://127.0.0.1:1", tries=1)
    assert version_of(LINUX, KernelOrg(version), nowhere) == version
    assert series_of(version) == version.rpartition(".")[0]


@given(st.from_regex(r"[0-9.]{0,12}(-rc[0-9]{0,4})?", fullmatch=True) | st.text(max_size=12))
def test_whatever_is_wanted_is_an_exact_version_or_an_error(wanted: str) -> None:
    nowhere = Network("http://127.0.0.1:1/", "http://127.0.0.1:1/", tries=1)
    for software in (LINUX, IPROUTE2):
        try:
            version = version_of(software, KernelOrg(wanted), nowhere)
        except Failure:
            continue
        assert version == wanted and version.count(".") == 2


def test_the_spec_in_the_hint_of_a_refused_candidate_is_one() -> None:
    with pytest.raises(WrongInput) as refused:
        version_of(LINUX, KernelOrg("6.13-rc2"), Network())
    spec = refused.value.hint.rpartition("--source ")[2]
    assert str(parse_spec(spec)) == spec and spec.endswith("/torvalds/linux.git@v6.13-rc2")


@pytest.mark.parametrize("wanted", ["longterm", "mainline", "6.12-rc1"])
def test_iproute2_has_neither_lines_of_its_own_nor_candidates(wanted: str) -> None:
    with pytest.raises(WrongInput, match="iproute2 has no"):
        version_of(IPROUTE2, KernelOrg(wanted), Network())
