"""What mplskit promises make-kpkg. The real one (kernel-package 13.018) is in no current Debian release: a stand-in on
the PATH checks arguments and environment as make-kpkg itself would, works in the tree as it would, and makes a package.
"""

import json
from pathlib import Path

import pytest

from tests.command_line import CommandLine, stand_in
from tests.worlds.fake_linux import plant, snapshot

STAND_IN = r"""
refuse() { echo "make-kpkg (stand-in): $*" >&2; exit 1; }

printf '%s\n' "$@" >"$KPKG_SEEN/arguments"
env >"$KPKG_SEEN/environment"
pwd >"$KPKG_SEEN/folder"
initrd='' revision='' append='' target=''
for word; do
    case $word in
    --initrd) initrd=yes ;;
    --revision=*) revision=${word#*=} ;;
    --append-to-version=*) append=${word#*=} ;;
    kernel_image) target=$word ;;
    *) refuse "unknown argument $word" ;;
    esac
done
[ "$initrd" ] && [ "$target" ] || refuse "--initrd and kernel_image are wanted"
case " ${MAKEFLAGS:-}" in *\ -j* | *\ j*) refuse "-j in MAKEFLAGS" ;; esac
[ "${CONCURRENCY_LEVEL:-}" ] || refuse "no CONCURRENCY_LEVEL"
[ -n "${FAKEROOTKEY:-}" ] || [ "$(id -u)" -eq 0 ] || refuse "neither root nor fakeroot"
[ -f .config ] && [ -f Makefile ] || refuse "not in a configured kernel tree"
[ -z "${KPKG_FAILS:-}" ] || refuse "told to fail"

rm -rf debian
make "$CONFIG_TARGET" >/dev/null
release=$(make -s kernelversion)$append
package=debian/linux-image-$release
mkdir -p "$package/DEBIAN" "$package/boot"
cp .config "$package/boot/config-$release"
cat >"$package/DEBIAN/control" <<END
Package: linux-image-$release
Version: $revision
Architecture: $(dpkg --print-architecture)
Maintainer: stand-in <stand-in@localhost>
Description: made by a stand-in of make-kpkg
END
dpkg-deb -Znone --build "$package" .. >/dev/null
touch stamp-kernel-image
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path / "origin")


@pytest.fixture
def mplskit(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path, {**stand_in(tmp_path / "bin", "make-kpkg", STAND_IN), "KPKG_SEEN": str(tmp_path)})


def environment(folder: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in (folder / "environment").read_text().splitlines())
    return {name: value for name, _, value in lines}


def test_auto_takes_make_kpkg_where_it_is_and_calls_it_as_it_wants_to_be_called(
    mplskit: CommandLine, tree: Path, tmp_path: Path
) -> None:
    before = snapshot(tree)
    done = mplskit("kernel.build", "--source", f"tree:{tree}", "--jobs", "3", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    suffix = told["release"].removeprefix("6.1.999")
    assert (tmp_path / "arguments").read_text().split("\n") == [
        "--initrd",
        "--revision=1.mpls",
        f"--append-to-version={suffix}",
        "kernel_image",
        "",
    ]
    seen = environment(tmp_path)
    assert (seen["CONCURRENCY_LEVEL"], seen["CONFIG_TARGET"]) == ("3", "olddefconfig")
    assert "MAKEFLAGS" not in seen and "FAKEROOTKEY" in seen

    work = Path((tmp_path / "folder").read_text().strip())
    assert work.is_relative_to(tmp_path / "build" / "kernel") and not work.exists()
    assert snapshot(tree) == before

    assert told["builder"] == "make-kpkg"
    assert told["command"] == (
        f"fakeroot make-kpkg --initrd --revision=1.mpls --append-to-version={suffix} kernel_image"
    )
    assert [row["file"] for row in told["packages"]] == [f"linux-image-{told['release']}_1.mpls_amd64.deb"]
    assert (tmp_path / "dist" / told["packages"][0]["file"]).is_file()


def test_parallelism_in_the_users_makeflags_does_not_reach_it(mplskit: CommandLine, tree: Path, tmp_path: Path) -> None:
    own = CommandLine(tmp_path, {**mplskit.env, "MAKEFLAGS": "-j8"})
    done = own("kernel.build", "--source", f"tree:{tree}")
    assert done.returncode == 0, done.stderr
    assert "MAKEFLAGS" not in environment(tmp_path)


def test_revision_and_suffix_reach_it_unchanged(mplskit: CommandLine, tree: Path, tmp_path: Path) -> None:
    words = ("--builder", "make-kpkg", "--revision", "1.MPLS", "--suffix=-mpls")
    done = mplskit("kernel.build", "--source", f"tree:{tree}", *words)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "arguments").read_text().split()[1:3] == ["--revision=1.MPLS", "--append-to-version=-mpls"]
    assert (tmp_path / "dist" / "linux-image-6.1.999-mpls_1.MPLS_amd64.deb").is_file()


def test_when_it_fails_its_words_are_shown_and_nothing_is_kept(
    mplskit: CommandLine, tree: Path, tmp_path: Path
) -> None:
    failing = CommandLine(tmp_path, {**mplskit.env, "KPKG_FAILS": "1"})
    failed = failing("kernel.build", "--source", f"tree:{tree}")
    assert (failed.returncode, failed.stdout) == (5, "")
    assert "  | make-kpkg (stand-in): told to fail\n" in failed.stderr
    assert failing.leftovers() == [] and not (tmp_path / "dist").exists()


def test_another_builder_can_be_asked_for_and_makes_another_release(
    mplskit: CommandLine, tree: Path, tmp_path: Path
) -> None:
    releases = [
        json.loads(mplskit("kernel.build", "--source", f"tree:{tree}", "--builder", name, "--json").stdout)["release"]
        for name in ("make-kpkg", "bindeb-pkg")
    ]
    assert releases[0] != releases[1] and mplskit.journal() == [releases[1]]


def test_asked_for_by_name_and_missing_it_is_something_that_this_machine_lacks(tree: Path, tmp_path: Path) -> None:
    folders = ":".join(folder for folder in ("/usr/bin", "/bin") if not Path(folder, "make-kpkg").exists())
    without = CommandLine(tmp_path, {"PATH": folders})
    failed = without("kernel.build", "--source", f"tree:{tree}", "--builder", "make-kpkg")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "error: --builder make-kpkg: this machine has no make-kpkg\n" in failed.stderr
    assert "kernel-package" in failed.stderr and not (tmp_path / "build").exists()
