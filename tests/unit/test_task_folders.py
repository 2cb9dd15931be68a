"""Every task and every kind of path: where it works, and the one error where it cannot."""

import re
from pathlib import Path

import pytest
from invoke.collection import Collection

from mplskit.errors import WrongInput
from mplskit.paths import Workspace
from mplskit.task_folders import TASKS, Needs, demand, temporary, where_programs_run, workspace_for
from mplskit.tasks import namespace, program

MAKES = sorted(task for task, folders in TASKS.items() if Needs.PLAIN in folders.get("build", Needs.NOTHING))
# What make, or the shell below it, takes for something else than a part of a name.
ODD = [" ", ":", ",", "%", "#", "$", "'", '"', "&", "(", ";", "=", "[", "*", "\\", "|", "!", "?", "`"]
HARMLESS = ["ü", "日本", "a-b_c.d+e@f~g", "x" * 200, "/".join(["deep" * 20] * 20)]


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("MPLSKIT_BUILD", "MPLSKIT_DIST", "XDG_CACHE_HOME", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MPLSKIT_CACHE", str(tmp_path / "cache"))


def entered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def tasks_of(collection: Collection) -> set[str]:
    return {name.removesuffix(".default") for name in collection.task_names}


def test_the_folders_of_every_task_are_known() -> None:
    assert set(TASKS) == tasks_of(namespace())


@pytest.mark.parametrize("name", HARMLESS)
def test_every_task_works_below_a_folder_that_all_tools_can_stand(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = entered(tmp_path / name, monkeypatch)
    for task in TASKS:
        assert workspace_for(task) == Workspace(folder / "build", folder / "dist", tmp_path / "cache")


@pytest.mark.parametrize("odd", ODD)
def test_below_a_folder_that_make_cannot_stand_every_task_works_with_a_build_folder_in_the_cache(
    odd: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = entered(tmp_path / f"my{odd}lab", monkeypatch)
    for task in TASKS:
        workspace = workspace_for(task)
        assert (workspace.dist, workspace.build.parent) == (folder / "dist", tmp_path / "cache" / "build")
        assert re.fullmatch(r"my-lab-[0-9a-f]{8}", workspace.build.name)


def test_each_such_folder_has_a_build_folder_of_its_own_and_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (tmp_path / name for name in ("a b", "a  b"))
    builds = [(entered(folder, monkeypatch), Workspace.here().build)[1] for folder in (one, two)]
    monkeypatch.chdir(one)
    assert builds[0] != builds[1] and Workspace.here().build == builds[0]


def test_a_link_without_a_blank_that_leads_to_a_folder_with_one_is_seen_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "link").symlink_to("a b")
    monkeypatch.setenv("MPLSKIT_BUILD", str(tmp_path / "link" / "build"))
    with pytest.raises(WrongInput) as refused:
        workspace_for("kernel.build")
    assert str(refused.value) == (
        f"error: kernel.build cannot work in {tmp_path}/link/build (which is {tmp_path}/a b/build): "
        "make cannot stand a blank in a path\n"
        "hint: MPLSKIT_BUILD=FOLDER puts what is made there elsewhere; letters, digits and . _ - + @ ~ are fine"
    )


@pytest.mark.parametrize("task", MAKES)
@pytest.mark.parametrize(
    ("odd", "named"), [(" ", "a blank"), (":", "a colon"), ("%", "%"), (", #", "a comma, a blank, #")]
)
def test_a_build_folder_that_was_given_is_taken_or_refused_but_not_replaced(
    task: str, odd: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MPLSKIT_BUILD", str(tmp_path / f"a{odd}b"))
    with pytest.raises(WrongInput) as refused:
        workspace_for(task)
    assert str(refused.value) == (
        f"error: {task} cannot work in {tmp_path}/a{odd}b: make cannot stand {named} in a path\n"
        "hint: MPLSKIT_BUILD=FOLDER puts what is made there elsewhere; letters, digits and . _ - + @ ~ are fine"
    )


@pytest.mark.parametrize("task", ["kernel.config", "kernel.build", "ci.pipeline"])
def test_a_cache_that_make_cannot_work_in_is_refused_by_the_tasks_that_configure_a_kernel_there(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(tmp_path / "plain", monkeypatch)
    monkeypatch.setenv("MPLSKIT_CACHE", str(tmp_path / "a b"))
    with pytest.raises(WrongInput, match=r"/a b: make cannot stand a blank in a path\nhint: MPLSKIT_CACHE=FOLDER"):
        workspace_for(task)


@pytest.mark.parametrize("task", sorted(task for task in TASKS if TASKS[task].get("cache") is Needs.WRITTEN))
def test_a_cache_with_a_blank_serves_all_other_tasks(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(tmp_path / "plain", monkeypatch)
    monkeypatch.setenv("MPLSKIT_CACHE", str(tmp_path / "a b"))
    assert workspace_for(task).cache == tmp_path / "a b"


@pytest.mark.parametrize("variable", ["MPLSKIT_BUILD", "MPLSKIT_DIST", "MPLSKIT_CACHE", "TMPDIR"])
@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "a\udcffb"])
def test_a_path_that_cannot_be_printed_is_refused(
    variable: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / name))
    with pytest.raises(WrongInput, match="the path holds what cannot be printed") as refused:
        workspace_for("kernel.build")
    assert str(refused.value).isascii() and f"hint: {variable}=FOLDER" in str(refused.value)


@pytest.mark.parametrize("task", sorted(task for task, folders in TASKS.items() if folders))
def test_a_file_where_a_folder_has_to_be_is_wrong_input(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(tmp_path / "plain", monkeypatch)
    (tmp_path / "file").touch()
    for name in ("BUILD", "DIST", "CACHE"):
        monkeypatch.setenv(f"MPLSKIT_{name}", str(tmp_path / "file" / name.lower()))
    with pytest.raises(WrongInput, match=rf"{task} cannot work in .*/file/.*: {tmp_path}/file is no folder\n"):
        workspace_for(task)


def test_what_needs_no_folder_of_a_kind_is_not_asked_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLSKIT_CACHE", str(tmp_path / "a b"))
    assert workspace_for("kernel.config", cache=Needs.NOTHING).cache == tmp_path / "a b"
    assert workspace_for("kernel.options").cache == tmp_path / "a b"


def test_a_folder_of_the_users_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match=r"^error: kernel.build cannot work in /x y: make .*\nhint: move it;"):
        demand(Path("/x y"), Needs.PLAIN, "kernel.build", "move it")


def test_programs_are_unpacked_where_temporary_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert temporary() == where_programs_run(Workspace.here()) == tmp_path


def test_every_task_asks_for_its_folders_before_it_does_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entered(tmp_path / "plain", monkeypatch)
    (tmp_path / "file").touch()
    for name in ("BUILD", "DIST", "CACHE"):
        monkeypatch.setenv(f"MPLSKIT_{name}", str(tmp_path / "file" / name.lower()))
    Path("nodes.yaml").write_text("nodes: {ler-1: {host: 192.0.2.1}}\n")
    words = {
        **{task: ["--source", "kernel.org:6.12"] for task in ("kernel.fetch", "kernel.config", "kernel.build")},
        **{task: ["--source", "kernel.org"] for task in ("kernel.list", "iproute2.list")},
        "iproute2.build": ["--source", "kernel.org:6.12"],
        "kernel.audit": ["--subject", "debian:trixie/linux-image-amd64"],
        "image.build": ["--kernel", "stock", "--iproute2", "stock"],
        "lab.matrix": ["--kernel", "debian:trixie"],
        **{task: ["hello-world", "--kernel", "debian:trixie"] for task in ("lab.run", "lab.up")},
        **{f"node.{task}": ["--inventory", "nodes.yaml"] for task in ("plan", "bootstrap", "verify", "remove")},
    }
    for task in (task for task, folders in TASKS.items() if folders):
        with pytest.raises(SystemExit) as left:
            program.run(["mplskit", task, *words.get(task, [])])
        told = capsys.readouterr()
        assert f"error: {task} cannot work in {tmp_path}/file/" in told.err, told.err
        assert (left.value.code, told.out) == (2, "")
