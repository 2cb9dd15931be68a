from pathlib import Path

import pytest

from mplskit.config.config_request import Base, Start, make_request
from mplskit.config.flags import ConfigFlags
from mplskit.config.machine_kernel import MachineKernel
from mplskit.config.starting_point import running, starting_point
from mplskit.errors import NotSo, WrongInput
from mplskit.sources.source_tree import SourceTree


def machine(config: str | None) -> MachineKernel:
    where = "/boot/config-6.1.0-40-amd64" if config else ""
    return MachineKernel("ler-1", "6.1.0-40-amd64", "x86_64", config, where, frozenset(), frozenset(), {}, frozenset())


def source(tree: Path) -> SourceTree:
    return SourceTree("linux", "6.1.999", f"tree:{tree}", f"tree {tree}", "0" * 64, tree)


def test_a_running_kernel_gives_its_configuration_and_where_it_was_read() -> None:
    assert running(machine("CONFIG_NET=y\n")) == (
        "CONFIG_NET=y\n",
        "/boot/config-6.1.0-40-amd64 of ler-1, which runs 6.1.0-40-amd64",
    )


def test_a_running_kernel_that_keeps_its_configuration_to_itself_is_told() -> None:
    with pytest.raises(NotSo) as told:
        running(machine(None))
    assert told.value.message == "ler-1: the configuration of its kernel 6.1.0-40-amd64 is nowhere to be read"
    assert "/boot/config-6.1.0-40-amd64" in told.value.detail


def test_a_file_is_a_base_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("CONFIG_NET=y\n")
    begun = starting_point(make_request(ConfigFlags(str(file))).base, source(tmp_path), tmp_path)
    assert (begun.text, begun.settings, begun.origin) == ("CONFIG_NET=y\n", (), str(file))


def test_a_fragment_is_laid_over_nothing(tmp_path: Path) -> None:
    begun = starting_point(make_request(ConfigFlags()).base, source(tmp_path), tmp_path)
    assert (begun.text, begun.origin) == (None, "make allnoconfig")
    assert ("64BIT", "y") in [(setting.symbol, setting.value) for setting in begun.settings]
    assert all(setting.asked_by.startswith("bases/guest.config:") for setting in begun.settings)


@pytest.mark.parametrize("name", ["defconfig", "debian", "running"])
def test_bases_that_are_more_than_a_fragment_are_known_by_name(name: str) -> None:
    assert make_request(ConfigFlags(name)).base.start == Start(name)


def test_a_host_belongs_to_the_base_running() -> None:
    base = make_request(ConfigFlags("running", "root@ler-1")).base
    assert isinstance(base, Base) and str(base.host) == "root@ler-1"
    with pytest.raises(WrongInput) as refused:
        make_request(ConfigFlags("guest", "root@ler-1"))
    assert "only --base running" in refused.value.message
