from dataclasses import replace
from pathlib import Path

import pytest

from mplskit.debian.build_dependencies import unmet_dependencies
from mplskit.debian.package_file import Role, role_of
from mplskit.kernel.build_request import Builder, Packaging
from mplskit.kernel.builders import command

PACKAGING = Packaging(Builder.BINDEB, "1.mpls", "", 2)
SAME = {
    "KBUILD_BUILD_USER": "mplskit",
    "KBUILD_BUILD_HOST": "mplskit",
    "KBUILD_BUILD_TIMESTAMP": "Tue Nov 14 22:13:20 UTC 2023",
    "SOURCE_DATE_EPOCH": "1700000000",
}


def test_bindeb_pkg_is_called_out_of_tree() -> None:
    made = command(Path("/src/linux"), Path("/build/x"), PACKAGING, "-mpls-1", 1_700_000_000)
    assert made.argv == (
        *("make", "-C", "/src/linux", "O=/build/x/objects", "-j2", "bindeb-pkg"),
        *("KDEB_PKGVERSION=1.mpls", "LOCALVERSION=-mpls-1"),
    )
    assert dict(made.env) == {**SAME, "DEB_BUILD_PROFILES": "pkg.linux-upstream.nokerneldbg"}


def test_make_kpkg_gets_its_parallelism_from_the_environment_and_no_j() -> None:
    packaging = replace(PACKAGING, builder=Builder.MAKE_KPKG, jobs=8)
    made = command(Path("/src/linux"), Path("/build/x"), packaging, "-mpls-1", 1_700_000_000)
    assert made.argv == (
        *("fakeroot", "make-kpkg", "--initrd", "--revision=1.mpls", "--append-to-version=-mpls-1", "kernel_image"),
    )
    assert dict(made.env) == {**SAME, "CONCURRENCY_LEVEL": "8", "CONFIG_TARGET": "olddefconfig"}


PREFIX = "dpkg-checkbuilddeps: error: "


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (PREFIX + "Unmet build dependencies: libdw-dev", "libdw-dev"),
        (PREFIX + "unmet build dependencies: libelf-dev libssl-dev", "libelf-dev libssl-dev"),
        (PREFIX + "Unmet build dependencies: debhelper-compat (= 13) bc", "debhelper-compat bc"),
        (PREFIX + "Unmet build dependencies: libdw-dev:native python3:native", "libdw-dev:native python3:native"),
        (PREFIX + "Unmet build dependencies: gcc-x86-64-linux-gnu | gcc (>= 12) kmod", "gcc-x86-64-linux-gnu kmod"),
        (PREFIX + "Unmet build dependencies: bc <!nocheck> flex [amd64 arm64] bc", "bc flex"),
    ],
)
def test_unmet_build_dependencies_become_an_apt_command(line: str, names: str) -> None:
    lacks = unmet_dependencies(f"make: x\n{line}\ndpkg-buildpackage: warning: build dependencies are unsatisfied\n")
    assert lacks is not None
    assert lacks.message == f"the build wants packages that are not installed: {names}"
    assert lacks.hint == f"apt-get install {names}"


def test_a_log_without_unmet_dependencies_says_nothing() -> None:
    assert unmet_dependencies("make: *** [net/mpls/af_mpls.o] Error 1\n") is None


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("linux-image-6.1.192-mpls-1a2b3c4d", "image"),
        ("linux-image-6.1.192-mpls-1a2b3c4d-dbg", "debug"),
        ("linux-headers-6.1.192-mpls-1a2b3c4d", "headers"),
        ("linux-libc-dev", "libc-headers"),
        ("iproute2", "iproute2"),
        ("iproute2-doc", "other"),
        ("linux-imageinary", "other"),
    ],
)
def test_a_package_is_known_by_its_name(name: str, role: str) -> None:
    assert role_of(name) is Role(role)
