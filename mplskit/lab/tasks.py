"""`lab.list` and `lab.run`: labelled packets on real kernels, read back from captures."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli

if TYPE_CHECKING:
    from mplskit.lab.report import LabReport
    from mplskit.paths import Workspace
    from mplskit.remote.host import Host


@cli.task(help={"json": "print one JSON document"}, name="list")
def list_labs(c: Context, json: bool = False) -> None:
    """Say which labs there are, and what each of them proves."""
    from mplskit.lab.grammar.topology import known, load

    rows = [(lab.name, lab.proves) for lab in map(load, known())]
    cli.show(
        [{"lab": name, "proves": proves} for name, proves in rows], json, lambda: cli.table(("lab", "proves"), rows)
    )


@cli.task(
    help={
        "lab": "its name, as lab.list gives it",
        "image": "boot this image: a name in dist/, or a record FILE.json (left out: the newest of mplskit-SUITE)",
        "host": "run it on this machine instead (root, MPLS modules loaded): user@host:port or a name from ssh_config",
        "ssh-config": "an ssh_config file to use instead of yours, for --host",
        "json": "print the report as one JSON document",
    },
    positional=["lab"],
)
def run(c: Context, lab: str, image: str = "", host: str = "", ssh_config: str = "", json: bool = False) -> None:
    """Run a lab in a booted image, or on --host, and keep its captures and its report in dist/labs/LAB."""
    from mplskit.errors import NotSo
    from mplskit.lab.grammar.topology import load
    from mplskit.lab.run import run_lab
    from mplskit.lab.stage.namespaces import Namespaces
    from mplskit.paths import Workspace
    from mplskit.remote.session import shell

    topology, workspace = load(lab), Workspace.here()
    with _ground(workspace, image, host, ssh_config) as ground, shell(ground) as session:
        report = run_lab(Namespaces(topology, session), workspace.dist / "labs" / topology.name)
    cli.show(report.as_json(), json, lambda: _show(report))
    if not report.passed:
        wrong = [step.step for step in report.steps if step.verdict in ("failed", "stopped")]
        raise NotSo(
            f"lab {topology.name}: {'; '.join(wrong)}: it is not so",
            hint=f"{report.folder / 'report.json'} has every command and what it printed",
        )


@contextmanager
def _ground(workspace: "Workspace", image: str, host: str, ssh_config: str) -> Iterator["Host"]:
    """The machine to run on: the one that was named, or an image booted for the time of the block."""
    from mplskit.errors import WrongInput
    from mplskit.image.boot import chosen_image, guest_of
    from mplskit.remote.host import Host
    from mplskit.vm.machine import booted

    if host and image:
        raise WrongInput("--host and --image: one machine only", hint="--host is for one that runs already")
    if ssh_config and not host:
        raise WrongInput("--ssh-config is for --host, and there is none", hint="--host NAME, as the file has it")
    if host:
        yield Host.parse(host, Path(ssh_config) if ssh_config else None)
        return
    found = chosen_image(workspace, image)
    with booted(guest_of(found, memory=1024, cpus=2), workspace.build / "vm" / f"lab-{found.name}") as machine:
        yield machine.host


def _show(report: "LabReport") -> None:
    from mplskit.progress import duration

    cli.table(("", "step", "expected", "seen"), report.rows())
    verdict = "passed" if report.passed else "failed"
    print(f"{report.lab}: {verdict} on kernel {report.kernel}, {report.ip}, in {duration(report.seconds)}")
    print(f"report and captures: {report.folder}")
