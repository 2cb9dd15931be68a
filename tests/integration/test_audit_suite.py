"""Kernels that a real apt offers from a local archive, split as Ubuntu and as newer Debian do."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from mplskit import process
from mplskit.audit.feature_verdicts import feature_verdicts
from mplskit.audit.features import load_features
from mplskit.audit.judged_kernel import Kernel
from mplskit.audit.suite_kernel import of_root
from mplskit.debian.apt_root import CONF, Root
from mplskit.debian.kernel_packages import SuiteKernel, fetched
from mplskit.errors import WrongInput
from tests.worlds.kernel_packages import MPLS, PLAIN, config, modules, ubuntu
from tests.worlds.package_file import make_deb

UBUNTU = "6.8.0-50-generic"
SID = "7.2.13+deb14-amd64"
SETTINGS = """\
Dir::Etc::SourceList "{folder}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State::Lists "{folder}/lists";
Dir::Cache "{folder}/cache";
Dir::State::status "{folder}/status";
APT::Sandbox::User "root";
"""
INSTALLED = """\
Package: linux-image-6.1-own
Status: install ok installed
Architecture: all
Version: 1
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """An apt root whose only archive is a folder."""
    folder = tmp_path_factory.mktemp("root")
    pool = folder / "pool"
    pool.mkdir()
    ubuntu(pool)
    image, extra = f"linux-image-{UBUNTU}", f"linux-modules-extra-{UBUNTU}"
    make_deb(pool, "linux-image-virtual", {}, f"{image}, linux-firmware")
    make_deb(pool, "linux-image-generic", {}, f"{image} | linux-image-unsigned-{UBUNTU}, {extra}, linux-firmware")
    make_deb(pool, "linux-generic", {}, "linux-image-generic (= 1), linux-headers-generic (= 1)")
    parts = f"linux-base-{SID} (= 1), linux-binary-{SID} (= 1), linux-modules-{SID} (= 1)"
    make_deb(pool, "linux-image-amd64", {}, f"linux-base-amd64, linux-image-{SID}")
    make_deb(pool, "linux-base-amd64", {}, f"linux-base-{SID}")
    make_deb(pool, f"linux-image-{SID}", {}, f"initramfs-tools, {parts}")
    make_deb(pool, f"linux-base-{SID}", {f"usr/lib/modules/{SID}/config": config("7.2.13")})
    merged = {f"usr/{path}": content for path, content in modules(SID, [*PLAIN, *MPLS], ".ko.xz").items()}
    make_deb(pool, f"linux-modules-{SID}", merged, f"kmod, linux-base-{SID}")
    make_deb(pool, f"linux-binary-{SID}", {f"usr/lib/modules/{SID}/vmlinuz": ""})
    make_deb(pool, "bash", {"bin/bash": ""})
    listed = process.run(["dpkg-scanpackages", "--multiversion", "."], cwd=pool).stdout
    (pool / "Packages").write_text(listed)
    (folder / "sources.list").write_text(f"deb [trusted=yes] file:{pool} ./\n")
    (folder / "status").write_text(INSTALLED)
    (folder / CONF).write_text(SETTINGS.format(folder=folder))
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    root = Root("the archive", folder)
    process.run(root.argv("apt-get", "update"))
    return root


def audited(root: Root, package: str, cache: Path) -> tuple[Kernel, Mapping[str, bool | None]]:
    kernel = of_root(root, SuiteKernel("noble", package), cache)
    return kernel, {verdict.feature.name: verdict.ready for verdict in feature_verdicts(kernel, load_features())}


@pytest.mark.parametrize("package", ["linux-generic", "linux-image-generic"])
def test_a_package_that_brings_the_extra_modules_is_ready(package: str, root: Root, tmp_path: Path) -> None:
    kernel, ready = audited(root, package, tmp_path)
    names = {f"linux-{kind}-{UBUNTU}" for kind in ("image", "modules", "modules-extra")}
    assert (kernel.release, set(kernel.packages)) == (UBUNTU, names)
    assert set(ready.values()) == {True}


@pytest.mark.parametrize("package", ["linux-image-virtual", f"linux-image-{UBUNTU}"])
def test_a_package_without_the_extra_modules_lacks_what_is_in_them(package: str, root: Root, tmp_path: Path) -> None:
    kernel, ready = audited(root, package, tmp_path)
    assert kernel.elsewhere["mpls_router"] == f"linux-modules-extra-{UBUNTU}"
    assert (ready["transit"], ready["edge"], ready["gso"]) == (False, False, True)


def test_a_kernel_that_debian_splits_is_put_together(root: Root, tmp_path: Path) -> None:
    kernel, ready = audited(root, "linux-image-amd64", tmp_path)
    assert kernel.config_from == f"/usr/lib/modules/{SID}/config"
    assert kernel.packages == (f"linux-image-{SID}", f"linux-base-{SID}", f"linux-modules-{SID}")
    assert set(ready.values()) == {True}


def test_what_boots_is_fetched_with_all_that_belongs_to_it_once(root: Root, tmp_path: Path) -> None:
    names = [deb.package.package for deb in fetched(root, SuiteKernel("sid"), tmp_path)]
    assert names == [f"linux-{kind}-{SID}" for kind in ("image", "base", "binary", "modules")]
    assert root.folder
    away = (root.folder / "pool").rename(root.folder / "away")
    try:
        assert [deb.package.package for deb in fetched(root, SuiteKernel("sid"), tmp_path)] == names
    finally:
        away.rename(root.folder / "pool")


def test_what_is_no_kernel_is_not_fetched_as_one(root: Root, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as failed:
        fetched(root, SuiteKernel("sid", "bash"), tmp_path)
    assert str(failed.value) == (
        "error: debian:sid/bash: that is no package of a kernel\nhint: for example: debian:sid/linux-image-amd64"
    )
    assert not list(tmp_path.rglob("*.deb"))


def test_what_was_seen_in_a_package_is_not_fetched_again(root: Root, tmp_path: Path) -> None:
    first = audited(root, "linux-image-amd64", tmp_path)
    assert not list(tmp_path.rglob("*.deb"))
    assert root.folder
    pool = root.folder / "pool"
    away = pool.rename(root.folder / "away")
    try:
        assert audited(root, "linux-image-amd64", tmp_path) == first
    finally:
        away.rename(pool)


@pytest.mark.parametrize("text", ["", '{"packages": ["li', "[]"], ids=["empty", "cut", "another"])
def test_what_was_seen_in_a_package_is_looked_at_anew_when_it_is_damaged(
    text: str, root: Root, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = audited(root, "linux-image-amd64", tmp_path)
    for seen in tmp_path.rglob("part.json"):
        seen.write_text(text)
    assert audited(root, "linux-image-amd64", tmp_path) == first
    assert " is damaged: it is made anew" in capsys.readouterr().err


def test_a_package_that_is_not_offered_is_told(root: Root, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as failed:
        audited(root, "linux-image-7.3", tmp_path)
    assert failed.value.message == "the archive offers no package 'linux-image-7.3'"


def test_a_package_that_brings_no_kernel_is_told(root: Root, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as failed:
        audited(root, "bash", tmp_path)
    assert failed.value.message == "debian:noble/bash: no kernel and no modules are in it"


def test_a_package_with_debug_symbols_is_refused_before_it_is_fetched(root: Root, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as failed:
        audited(root, f"linux-image-{SID}-dbg", tmp_path)
    assert failed.value.message == (
        f"debian:noble/linux-image-{SID}-dbg: the debug symbols of a kernel are in it, and no kernel"
    )


def test_a_kernel_that_is_installed_and_in_no_archive_is_told(root: Root, tmp_path: Path) -> None:
    with pytest.raises(WrongInput) as failed:
        audited(root, "linux-image-6.1-own", tmp_path)
    assert failed.value.message == "linux-image-6.1-own 1 is installed here, and the archive does not offer it"
