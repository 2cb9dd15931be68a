from pathlib import Path

import pytest

from mplskit.paths import Workspace, data

MOVABLE = ("MPLSKIT_BUILD", "MPLSKIT_DIST", "MPLSKIT_CACHE", "XDG_CACHE_HOME")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in MOVABLE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/engineer")
    monkeypatch.chdir(tmp_path)


def test_work_goes_below_the_current_folder_and_downloads_into_the_users_cache(tmp_path: Path) -> None:
    assert Workspace.here() == Workspace(tmp_path / "build", tmp_path / "dist", Path("/home/engineer/.cache/mplskit"))


def test_the_cache_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/me")
    assert Workspace.here().cache == Path("/var/cache/me/mplskit")


def test_each_folder_can_be_moved_and_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLSKIT_BUILD", "b")
    monkeypatch.setenv("MPLSKIT_DIST", "/srv/dist")
    monkeypatch.setenv("MPLSKIT_CACHE", "../c")
    assert Workspace.here() == Workspace(tmp_path / "b", Path("/srv/dist"), tmp_path / ".." / "c")


def test_an_empty_variable_counts_as_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLSKIT_BUILD", "")
    assert Workspace.here().build == tmp_path / "build"


@pytest.mark.parametrize("name", ["kconfig", "bootstrap", "topologies", "packages.txt"])
def test_the_data_that_users_read_is_found(name: str) -> None:
    assert data(name).exists()
