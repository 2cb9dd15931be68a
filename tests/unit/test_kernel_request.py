import os
from dataclasses import replace
from pathlib import Path

import pytest

from mplskit.errors import MachineLacks, WrongInput
from mplskit.kernel.build_request import Builder, Packaging, make_packaging, named_suffix
from mplskit.kernel.flags import PackagingFlags
from mplskit.kernel.package_naming import check_suffix
from mplskit.sources.source_tree import SourceTree

SOURCE = SourceTree("linux", "6.1.192", "debian", "Debian", "a" * 64, Path("/linux"))
PACKAGING = Packaging(Builder.BINDEB, "1.mpls", "", 2)


def test_the_default_suffix_names_the_build_and_is_one_that_builders_take() -> None:
    suffix = named_suffix(PACKAGING, SOURCE, "b" * 64, "gcc 12")
    assert suffix.startswith("-mpls-") and len(suffix) == len("-mpls-") + 8
    assert check_suffix(suffix) == suffix
    assert named_suffix(PACKAGING, SOURCE, "b" * 64, "gcc 12") == suffix


def test_builds_that_differ_in_any_input_have_different_suffixes() -> None:
    suffixes = {
        named_suffix(PACKAGING, SOURCE, "b" * 64, "gcc 12"),
        named_suffix(PACKAGING, replace(SOURCE, digest="c" * 64), "b" * 64, "gcc 12"),
        named_suffix(PACKAGING, SOURCE, "d" * 64, "gcc 12"),
        named_suffix(PACKAGING, SOURCE, "b" * 64, "gcc 14"),
        named_suffix(replace(PACKAGING, revision="2.mpls"), SOURCE, "b" * 64, "gcc 12"),
        named_suffix(replace(PACKAGING, builder=Builder.MAKE_KPKG), SOURCE, "b" * 64, "gcc 12"),
    }
    assert len(suffixes) == 6


def test_where_the_source_lies_and_how_many_compilers_run_say_nothing_of_the_kernel() -> None:
    suffix = named_suffix(PACKAGING, SOURCE, "b" * 64, "gcc 12")
    assert named_suffix(replace(PACKAGING, jobs=64), SOURCE, "b" * 64, "gcc 12") == suffix
    assert named_suffix(PACKAGING, replace(SOURCE, path=Path("/other")), "b" * 64, "gcc 12") == suffix


def test_a_suffix_that_was_asked_for_is_taken_as_it_is() -> None:
    assert named_suffix(replace(PACKAGING, suffix="-mine"), SOURCE, "", "") == "-mine"


@pytest.fixture
def make_kpkg_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "make-kpkg").write_text("#!/bin/sh\n")
    (tmp_path / "make-kpkg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


@pytest.mark.usefixtures("make_kpkg_is_there")
def test_make_kpkg_is_taken_where_it_is_installed_unless_another_is_asked_for() -> None:
    assert make_packaging(PackagingFlags("auto")).builder is Builder.MAKE_KPKG
    assert make_packaging(PackagingFlags("make-kpkg")).builder is Builder.MAKE_KPKG
    assert make_packaging(PackagingFlags("bindeb-pkg")).builder is Builder.BINDEB


def test_without_make_kpkg_auto_takes_bindeb_pkg_and_its_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert make_packaging(PackagingFlags("auto")).builder is Builder.BINDEB
    with pytest.raises(MachineLacks) as refused:
        make_packaging(PackagingFlags("make-kpkg"))
    assert "kernel-package" in refused.value.hint and "--builder bindeb-pkg" in refused.value.hint


@pytest.mark.parametrize(
    ("builder", "revision", "suffix"),
    [("deb-pkg", "1", ""), ("", "1", ""), ("auto", "mpls1", ""), ("auto", "1", "-MPLS")],
)
def test_whatever_can_be_checked_is_checked_before_any_work(builder: str, revision: str, suffix: str) -> None:
    with pytest.raises(WrongInput):
        make_packaging(PackagingFlags(builder, revision, suffix))


def test_without_a_number_there_is_one_compiler_for_each_cpu_that_we_may_use() -> None:
    assert make_packaging(PackagingFlags("bindeb-pkg")).jobs == len(os.sched_getaffinity(0))
    assert make_packaging(PackagingFlags("bindeb-pkg", jobs="7")).jobs == 7
