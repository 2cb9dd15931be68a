"""`lab.list|run|matrix|up|shell|down`: labelled packets on real kernels, read back from captures."""

import sys
from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.lab.flags import PlaceFlags
from mplskit.remote.flags import SessionFlags
from mplskit.whole_number import whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mplskit.lab.grammar.topology import Topology
    from mplskit.lab.lab_report import LabReport
    from mplskit.lab.machine_choice import Place
    from mplskit.paths import Workspace

LAB = "its name as lab.list gives it, a file ./NAME.yaml, several with commas between them, or all"


@cli.task(name="list")
def list_labs(c: Context, json: bool = False) -> None:
    """Say which labs there are, and what each of them proves."""
    from mplskit.lab.grammar.labs import lab_names, load

    rows = [(lab.name, lab.proves) for lab in map(load, lab_names())]
    terminal.show(
        [{"lab": name, "proves": proves} for name, proves in rows],
        json,
        lambda: terminal.table(("lab", "proves"), rows),
    )


@cli.task(
    help={
        "lab": LAB,
        "stage": "namespaces: all nodes in one machine; vms: a virtual machine for each, set up by node.bootstrap",
        "fault": "make this fault on purpose, NODE:FAULT or NODE:FAULT:INTERFACE; may be given more than once",
        "reboot": "at the end reboot every node and try again (--stage vms)",
    },
    positional=["lab"],
)
def run(
    c: Context,
    lab: str,
    where: PlaceFlags,
    session: SessionFlags,
    stage: str = "namespaces",
    fault: tuple[str, ...] = (),
    reboot: bool = False,
    json: bool = False,
) -> None:
    """Run labs; the report of each, with its captures, is in dist/labs/LAB. Exit 1 when one failed."""
    from contextlib import closing

    from mplskit.lab.faults import parse_fault
    from mplskit.lab.machine_choice import is_here, place_of, stages
    from mplskit.lab.run_lab import RunOptions, run_lab
    from mplskit.lab.up import refuse_if_up

    topologies = _chosen(lab)
    wanted = {
        topology.name: RunOptions(tuple(parse_fault(text, topology) for text in fault), reboot)
        for topology in topologies
    }
    _check_stage(stage, reboot)
    place = place_of(where, session)
    workspace = _workspace("lab.run", place)
    if place.host or is_here(workspace, place):
        refuse_if_up(workspace, [topology.name for topology in topologies])
    with closing(stages(workspace, place, stage, topologies)) as made:
        reports = [
            run_lab(each, workspace.dist / "labs" / each.topology.name, wanted[each.topology.name]) for each in made
        ]
    _show(reports, json)


@cli.task(
    help={
        "kernel": "a kernel as lab.run takes it; may be given more than once",
        "lab": LAB + " (left out: all)",
    }
)
def matrix(
    c: Context,
    kernel: tuple[str, ...] = (),
    lab: str = "all",
    json: bool = False,
) -> None:
    """Run labs on several kernels, and make a table of what passes where: dist/labs/matrix.md, matrix.json."""
    from json import dumps

    from mplskit import progress
    from mplskit.errors import Failure, NotSo, WrongInput
    from mplskit.files import write_atomically
    from mplskit.lab.machine_choice import Place, ground, make_ready
    from mplskit.lab.matrix import Cell, Matrix, column
    from mplskit.lab.run_lab import run_lab
    from mplskit.lab.stage.namespaces import Namespaces

    if not kernel:
        raise WrongInput("no --kernel is given", hint="for example: --kernel debian:bookworm --kernel debian:trixie")
    topologies, names = _chosen(lab), list(dict.fromkeys(kernel))
    workspace = _workspace("lab.matrix", *(Place(kernel=name) for name in names))
    for name in names:
        make_ready(workspace, Place(kernel=name))
    kernels: list[tuple[str, str]] = []
    cells: list[Cell] = []
    for number, name in enumerate(names, 1):
        folder = workspace.dist / "labs" / "matrix" / str(number)
        reports, failure = [], ""
        try:
            with ground(workspace, Place(kernel=name)) as machine:
                for topology in topologies:
                    reports.append(run_lab(Namespaces(topology, machine), folder / topology.name))
        except Failure as failed:
            failure = failed.message
            progress.note(f"  {name}: {failed}")
        kernels.append((reports[0].kernel if reports else "no kernel", name))
        cells += column(name, [topology.name for topology in topologies], reports, failure)
    found = Matrix(tuple(kernels), tuple(cells))
    target = workspace.dist / "labs"
    write_atomically(target / "matrix.md", found.markdown())
    write_atomically(target / "matrix.json", dumps(found.as_json(), indent=2) + "\n")
    terminal.show(
        found.as_json(),
        json,
        lambda: terminal.table(("lab", *(f"{release} ({name})" for release, name in found.kernels)), found.rows()),
    )
    if not found.passed:
        raise NotSo("not every lab passed on every kernel", hint=f"{target}/matrix/NUMBER/LAB has the reports")


@cli.task(
    help={
        "lab": "its name as lab.list gives it, or a file ./NAME.yaml",
        "stage": "namespaces: all nodes in one machine; vms: a virtual machine for each",
        "step": "set the nodes up as in this step; 0 is before the first (left out: the last)",
    },
    positional=["lab"],
)
def up(
    c: Context,
    lab: str,
    where: PlaceFlags,
    session: SessionFlags,
    stage: str = "namespaces",
    step: str = "",
    json: bool = False,
) -> None:
    """Set a lab up, and leave it running in the background, to play with."""
    from dataclasses import asdict

    from mplskit.lab.machine_choice import place_of
    from mplskit.lab.up import bring_up

    _check_stage(stage, False)
    number = whole_number(step, "--step", 0, 1000) if step else None
    place = place_of(where, session)
    found = bring_up(_workspace("lab.up", place), lab, place, stage, number)

    def text() -> None:
        for node in found.nodes:
            print(f"invoke lab.shell {node}")
        print(f"invoke lab.down --lab {found.lab}")

    terminal.show(asdict(found), json, text)


@cli.task(
    help={
        "node": "a node of a lab that is up",
        "lab": "which lab (left out: the one that is up)",
        "command": "run this there, by sh, instead of an interactive shell",
    },
    positional=["node"],
)
def shell(c: Context, node: str, lab: str = "", command: str = "") -> None:
    """Open a shell on a node of a lab that is up, as root."""
    from mplskit import process
    from mplskit.lab.up import entrance, the_one
    from mplskit.paths import Workspace

    interactive = sys.stdin.isatty() and not command
    process.become(entrance(the_one(Workspace.here(), lab), node, command, interactive))


@cli.task(help={"lab": "which lab (left out: the one that is up)"})
def down(c: Context, lab: str = "") -> None:
    """Take a lab down that lab.up left running."""
    from mplskit.lab.up import take_down, the_one
    from mplskit.paths import Workspace

    workspace = Workspace.here()
    take_down(workspace, the_one(workspace, lab))


def _chosen(text: str) -> "list[Topology]":
    """The labs that are meant; each is read before anything is begun."""
    from mplskit.errors import WrongInput
    from mplskit.lab.grammar.labs import lab_names, load

    names = lab_names() if text == "all" else [name for name in text.split(",") if name]
    if not names:
        raise WrongInput("no lab is named", hint="allowed: " + LAB)
    return [load(name) for name in dict.fromkeys(names)]


def _workspace(task: str, *places: "Place") -> "Workspace":
    """The folders of a lab; where its disk may have to be made, they have to do for that."""
    from mplskit.lab.machine_choice import HERE
    from mplskit.task_folders import ROOTED, workspace_for

    made = [place for place in places if not (place.host or place.image or place.kernel == HERE)]
    return workspace_for(task, **({"build": ROOTED} if made else {}))


def _check_stage(stage: str, reboot: bool) -> None:
    from mplskit.errors import WrongInput
    from mplskit.wording import no_such

    if stage not in ("namespaces", "vms"):
        raise WrongInput(f"--stage: {no_such('stage', stage, ['namespaces', 'vms'])}")
    if reboot and stage != "vms":
        raise WrongInput("--reboot: namespaces do not outlive a boot", hint="--stage vms --reboot")


def _show(reports: "Sequence[LabReport]", json: bool) -> None:
    from mplskit.errors import NotSo
    from mplskit.wording import duration

    def text() -> None:
        for report in reports:
            terminal.table(("", "step", "expected", "seen"), report.rows())
            verdict = "passed" if report.passed else "failed"
            print(f"{report.lab}: {verdict} on kernel {report.kernel}, {report.ip}, in {duration(report.seconds)}")
            print(f"report and captures: {report.folder}")

    failed = [report for report in reports if not report.passed]
    document = {"passed": not failed, "labs": [report.as_json() for report in reports]}
    terminal.show(document, json, text)
    if failed:
        wrong = "; ".join(f"{report.lab}: {step.step}" for report in failed for step in report.steps if step.wrong)
        raise NotSo(f"{wrong}: it is not so", hint=f"{failed[0].folder}/report.html shows what was expected and seen")
