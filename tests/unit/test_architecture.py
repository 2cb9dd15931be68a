"""Which architecture a configuration is for, and what the environment asks of the kernel's build."""

from pathlib import Path

import pytest

from mplskit.config.architecture import architecture_in, architectures_by_tree, demand_environment
from mplskit.config.config_request import make_request
from mplskit.config.dotconfig import read
from mplskit.config.flags import ConfigFlags
from mplskit.config.kbuild import CLEAN
from mplskit.errors import WrongInput
from mplskit.sources.arch_folders import X86_32


@pytest.fixture(autouse=True)
def on_x86(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    for name in CLEAN:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("# Linux/arm64 6.1.0 Kernel Configuration\n", "arm64"),
        ("# Linux/x86_64 3.2.0 Kernel Configuration\r\n", "x86"),
        ("# Linux/x86 6.1.0 Kernel Configuration\n# CONFIG_64BIT is not set\n", X86_32),
        ("CONFIG_X86=y\nCONFIG_X86_32=y\n", X86_32),
        ("CONFIG_RISCV=y\n", "riscv"),
        ("# Linux/x86 6.1.0 Kernel Configuration\nCONFIG_ARM64=y\n", "arm64"),
        ("CONFIG_X86=y\nCONFIG_UML=y\n", "um"),
        ('CONFIG_NET=y\nCONFIG_ARM="y"\n', ""),
    ],
)
def test_a_configuration_says_its_architecture(text: str, name: str) -> None:
    assert architecture_in(text) == name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, symbols in {"arm": "SMP ROCK", "arm64": "SMP ROCK V8", "x86": "SMP 64BIT TSC"}.items():
        folder = tmp_path / "arch" / name / "mach"
        folder.mkdir(parents=True)
        (folder.parent / "Kconfig").touch()
        (folder / "Kconfig.platforms").write_text("".join(f"config {symbol}\n\tbool\n" for symbol in symbols.split()))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("CONFIG_SMP=y\nCONFIG_NET=y\n", []),
        ("CONFIG_ROCK=y\n", ["arm64", "arm"]),
        ("CONFIG_ROCK=y\nCONFIG_V8=y\n", ["arm64"]),
        ("CONFIG_TSC=y\n", ["x86"]),
        ("# CONFIG_64BIT is not set\n", [X86_32]),
    ],
)
def test_what_a_savedefconfig_chose_tells_its_architecture(tree: Path, text: str, names: list[str]) -> None:
    assert architectures_by_tree(read(text).values, tree) == names


@pytest.mark.parametrize("text", ["# Linux/arm64 6.1.0 Kernel Configuration\nCONFIG_NET=y\n", "CONFIG_X86_32=y\n"])
def test_a_base_of_another_architecture_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(WrongInput) as refused:
        make_request(ConfigFlags(base=str(file)))
    assert refused.value.message.endswith(" and kernels are built here for x86")


@pytest.mark.parametrize(
    ("name", "value"), [("ARCH", "arm64"), ("ARCH", "i386"), ("CROSS_COMPILE", "aarch64-linux-gnu-")]
)
def test_an_environment_that_asks_for_another_architecture_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongInput) as refused:
        demand_environment()
    assert refused.value.message == f"{name}={value} in the environment: kernels are built here for x86"


def test_what_is_not_taken_of_the_environment_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"ARCH": "x86_64", "KCFLAGS": "-O3", "LLVM": "1", "MAKEFLAGS": "-j4", "HOSTCFLAGS": ""}.items():
        monkeypatch.setenv(name, value)
    demand_environment()
    assert capsys.readouterr().err == "! in the environment and not taken: ARCH=x86_64, LLVM=1, KCFLAGS=-O3\n"
