"""The release that a kernel will bear is known, and judged, before it is compiled."""

import json
from pathlib import Path

import pytest

from mplskit.config.config_request import make_request
from mplskit.config.configure import Configured, configure
from mplskit.config.flags import ConfigFlags
from mplskit.errors import WrongInput
from mplskit.kernel.build_request import Builder, Packaging
from mplskit.kernel.release import kernel_release
from mplskit.paths import Workspace
from mplskit.sources.kernel_source import fetch_kernel
from mplskit.sources.source_spec import parse_spec
from tests.command_line import CommandLine
from tests.worlds.fake_linux import plant
from tests.worlds.offered_linux import CACHE, offered

WRONG = "error: the kernel's release would be '{}', and no Debian package can be named after that\n"


@pytest.fixture
def mplskit(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def changed(folder: Path, **texts: str) -> Path:
    """The tree with these files in it, `__` for a hyphen; a text that begins with s/ edits the file."""
    tree = plant(folder / "origin")
    tree.chmod(0o755)
    for name, text in texts.items():
        file = tree / name.replace("__", "-")
        if text.startswith("s/"):
            _, old, new, _ = text.split("/")
            file.chmod(0o644)
            file.write_text(file.read_text().replace(old, new))
        else:
            file.write_text(text)
    return tree


def build(mplskit: CommandLine, tree: Path, *words: str) -> tuple[int, str]:
    words = ("--source", f"tree:{tree}", "--builder", "bindeb-pkg", *words)
    done = mplskit("kernel.build", *words)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("value", "release", "said"),
    [
        ("-v8_16k", "6.1.999-v8_16k-x", "'_' cannot stand there"),
        ("-V8", "6.1.999-V8-x", "'V' cannot stand there"),
        ("-my kernel", "6.1.999-my kernel-x", "' ' cannot stand there"),
        ("-né", "6.1.999-né-x", "'é' cannot stand there"),
        ("-a~rc1", "6.1.999-a~rc1-x", "'~' cannot stand there"),
    ],
)
def test_a_local_version_that_no_package_can_bear_is_refused_before_the_compile(
    mplskit: CommandLine, tmp_path: Path, value: str, release: str, said: str
) -> None:
    code, told = build(mplskit, plant(tmp_path / "origin"), "--suffix=-x", "--set", f"LOCALVERSION={value}")
    assert code == 2 and WRONG.format(release) in told
    assert f"  | '{value}' is LOCALVERSION, asked by --set LOCALVERSION={value}: {said}\n" in told
    assert "6.1.999' is" not in told and mplskit.journal() == [] and mplskit.leftovers() == []


def test_a_local_version_of_a_fragment_is_named_by_file_and_line(mplskit: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "my.config").write_text('# mine\nCONFIG_LOCALVERSION="-MINE"\n')
    code, told = build(mplskit, plant(tmp_path / "origin"), "--fragment", "my.config")
    assert code == 2 and "'-MINE' is LOCALVERSION, asked by my.config:2: 'M', 'I', 'N', 'E' cannot" in told


def test_a_local_version_of_the_base_is_named_by_the_base(mplskit: CommandLine, tmp_path: Path) -> None:
    base = tmp_path / "config-old"
    base.write_text('CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_PROC_SYSCTL=y\nCONFIG_LOCALVERSION="-Old"\n')
    tree = plant(tmp_path / "origin")
    code, told = build(mplskit, tree, "--base", str(base))
    assert code == 2 and f"'-Old' is LOCALVERSION, from the base {base}: 'O' cannot stand there\n" in told
    code, told = build(mplskit, tree, "--base", str(base), "--set", "LOCALVERSION=-new", "--suffix=-x")
    assert code == 0 and mplskit.journal() == ["6.1.999-new-x"], told


def test_a_file_of_the_tree_that_no_package_can_bear_is_named(mplskit: CommandLine, tmp_path: Path) -> None:
    tree = changed(tmp_path, localversion__next="-Next_1\n")
    code, told = build(mplskit, tree)
    assert code == 2 and "'-Next_1' is the file localversion-next of the source tree: 'N', '_' cannot" in told


def test_an_extraversion_that_no_package_can_bear_is_named(mplskit: CommandLine, tmp_path: Path) -> None:
    tree = changed(tmp_path, Makefile="s/EXTRAVERSION =/EXTRAVERSION = -RC1/")
    code, told = build(mplskit, tree)
    assert code == 2
    assert "'6.1.999-RC1' is the version in the tree's Makefile, EXTRAVERSION with it: 'R', 'C' cannot" in told


def test_a_release_may_have_64_characters_and_no_more(mplskit: CommandLine, tmp_path: Path) -> None:
    tree = plant(tmp_path / "origin")
    for length, code in ((55, 0), (56, 2)):
        found, told = build(mplskit, tree, "--suffix=-x", "--set", f"LOCALVERSION={'-' + 'a' * (length - 1)}")
        assert found == code, told
    assert f"'6.1.999-{'a' * 55}-x': 65 characters, and the kernel takes 64\n" in told
    assert "  | '-x' is the suffix (--suffix)\n" in told
    assert mplskit.journal() == [f"6.1.999-{'a' * 54}-x"]


def test_progress_names_the_whole_release(mplskit: CommandLine, tmp_path: Path) -> None:
    tree = changed(tmp_path, localversion="-rt5\n")
    code, told = build(mplskit, tree, "--suffix=-x", "--set", "LOCALVERSION=-mine")
    assert code == 0 and "building Linux 6.1.999-rt5-mine-x with bindeb-pkg" in told
    assert json.loads((tmp_path / "dist" / "metadata.json").read_text())["release"] == "6.1.999-rt5-mine-x"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Configured]:
    folder = tmp_path_factory.mktemp("release")
    workspace = Workspace(folder / "build", folder / "dist", CACHE)
    request = make_request(ConfigFlags(set_=("LOCALVERSION=-mine",)))
    return workspace, configure(fetch_kernel(parse_spec("debian", False), CACHE), request, workspace)


@pytest.mark.skipif(not offered(), reason="this machine's apt offers no linux-source package")
@pytest.mark.parametrize("builder", list(Builder))
def test_a_real_tree_says_its_release_for_both_builders(
    real: tuple[Workspace, Configured], tmp_path: Path, builder: Builder
) -> None:
    source = fetch_kernel(parse_spec("debian", False), CACHE)
    log = tmp_path / "log"
    said = kernel_release(source, real[1], tmp_path / "o", Packaging(builder, "1", "-x", 1), "-x", log)
    assert said == (f"{source.version}-mine-x" if builder is Builder.BINDEB else f"{source.version}-x-mine")
    with pytest.raises(WrongInput):
        kernel_release(source, real[1], tmp_path / "o", Packaging(builder, "1", "-X", 1), "-X", log)
