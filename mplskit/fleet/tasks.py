"""`node.plan`, `node.bootstrap`, `node.verify`, `node.remove`: what would change, set it up, prove it, take it back."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.fleet.flags import DAY, PATIENCE, FleetFlags, NodeFlags, PackageFlags, SpecFlags
from mplskit.remote.flags import ReachFlags, SessionFlags
from mplskit.whole_number import whole_number

if TYPE_CHECKING:
    from mplskit.debian.package_file import Deb
    from mplskit.fleet.assignment import Assignment, Wants
    from mplskit.fleet.outcome import Document, Done, Outcome
    from mplskit.node.node import Node
    from mplskit.node.payload.apt import Apt
    from mplskit.node.payload_report import Report
    from mplskit.node.verify.verify import Check


@cli.task(help={"dry-run": "show the files and packages that would be brought; touch nothing, not even by ssh"})
def bootstrap(
    c: Context,
    brought: PackageFlags,
    nodes: SpecFlags,
    session: SessionFlags,
    fleet: FleetFlags,
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Make nodes MPLS-ready, now and after every boot. What is so already is left alone."""
    from mplskit import progress
    from mplskit.fleet import completion, show
    from mplskit.fleet.assignment import assignment
    from mplskit.fleet.formats.pyinfra import Carried
    from mplskit.fleet.on_nodes import NodeTask, on_nodes
    from mplskit.fleet.pyinfra.engines import engine_of
    from mplskit.node.bootstrap import GUEST_KERNEL, brings_guest_kernel
    from mplskit.node.bootstrap import bootstrap as set_up

    debs, from_apt = _brought(brought)
    guest = brings_guest_kernel([deb.path for deb in debs])
    if guest:
        progress.note(f"! {GUEST_KERNEL}")
    wants = _wants(debs, from_apt)

    def judged(node: "Node", report: "Report") -> "Done":
        return completion.bootstrapped(node, report, GUEST_KERNEL if guest else "")

    def work(node: "Node") -> "Done":
        with progress.step(f"setting up {node.name}"):
            report = set_up(node, debs, apt=from_apt, hear=show.teller())
        return judged(node, report)

    engine = engine_of(brought.engine, Carried("node", debs, from_apt), judged)
    if dry_run:
        assigned = assignment("bootstrap", nodes, session, fleet, wants, pyinfra=engine is not None)
        _show_files(assigned, debs, from_apt, json)
        return
    on_nodes(NodeTask("bootstrap", work, wants=wants, engine=engine), nodes, session, fleet, json=json)


@cli.task()
def plan(
    c: Context,
    brought: PackageFlags,
    nodes: SpecFlags,
    session: SessionFlags,
    fleet: FleetFlags,
    json: bool = False,
) -> None:
    """Show what node.bootstrap would change; change nothing. Exit 0: nothing to do, 1: changes."""
    from mplskit import progress
    from mplskit.fleet import completion
    from mplskit.fleet.formats.pyinfra import Carried
    from mplskit.fleet.on_nodes import NodeTask, on_nodes
    from mplskit.fleet.pyinfra.engines import engine_of
    from mplskit.node.plan import plan as look

    debs, from_apt = _brought(brought)

    def work(node: "Node") -> "Done":
        with progress.step(f"planning {node.name}"):
            report = look(node, debs, apt=from_apt)
        return completion.planned(node, report)

    engine = engine_of(brought.engine, Carried("plan", debs, from_apt), completion.planned)
    task = NodeTask("plan", work, each=True, wants=_wants(debs, from_apt), engine=engine)
    on_nodes(task, nodes, session, fleet, json=json)


@cli.task()
def remove(c: Context, nodes: NodeFlags, session: SessionFlags, fleet: FleetFlags, json: bool = False) -> None:
    """Take back from nodes what node.bootstrap brought; put back what was there before. Packages stay."""
    from mplskit import progress
    from mplskit.fleet import completion, show
    from mplskit.fleet.on_nodes import NodeTask, on_nodes
    from mplskit.node.remove import remove as take_back

    def work(node: "Node") -> "Done":
        with progress.step(f"removing our setup from {node.name}"):
            report = take_back(node, hear=show.teller())
        return completion.removed(node, report)

    on_nodes(NodeTask("remove", work), nodes, session, fleet, json=json)


@cli.task(
    help={
        "format": "files, cloud-init, pyinfra or ansible",
        "to": "the folder to write (default: dist/nodes/FORMAT); one that node.render wrote before is replaced",
    }
)
def render(
    c: Context, nodes: SpecFlags, reach: ReachFlags, format: str = "files", to: str = "", json: bool = False
) -> None:
    """Write the set-up of nodes for those who carry it there themselves; reaches no node."""
    from mplskit.fleet.formats.folder import write
    from mplskit.fleet.inventory.selection import selected
    from mplskit.paths import Workspace

    folder = Path(to) if to else Workspace.here().dist / "nodes" / format
    rendered = selected(nodes, reach, asked=False)
    files = write(format, rendered, folder)
    document = {"format": format, "folder": str(folder), "nodes": [node.name for node in rendered], "files": files}
    terminal.show(document, json, lambda: print(folder, flush=True))


def _brought(flags: PackageFlags) -> "tuple[Sequence[Deb], Apt | None]":
    """The packages of the folder, and those of the apt repository, that the node gets."""
    from mplskit.debian.package_file import read_deb
    from mplskit.node.payload.apt import apt_of
    from mplskit.node.payload.packages import node_packages

    debs = [read_deb(path) for path in node_packages(Path(flags.packages))] if flags.packages else []
    return debs, apt_of(Path(flags.apt) if flags.apt else None, flags.package)


def _wants(packages: "Sequence[Deb]", apt: "Apt | None") -> "Wants":
    """What is wanted of a node. What the run allows changes nothing on a node that got done without."""
    brought = [[deb.package.sha256 for deb in packages], apt]
    return lambda node: [node.spec.model_dump(mode="json", exclude={"allow"}), *brought]


def _show_files(assigned: "Assignment", packages: "Sequence[Deb]", apt: "Apt | None", as_json: bool) -> None:
    from mplskit.node.payload.render import render

    nodes = assigned.nodes
    brought = [*(str(deb.path) for deb in packages), *(apt.packages if apt else ())]

    def files(node: "Node") -> dict[str, str]:
        return {**render(node.spec), **(apt.files if apt else {})}

    def shown(node: "Node") -> dict[str, object]:
        return {"node": node.name, "files": files(node), "packages": brought}

    def text() -> None:
        for node in nodes:
            if len(nodes) > 1:
                print(f"## {node.name}")
            for path, lines in files(node).items():
                print(f"# {path}\n{lines}")
            for package in brought:
                print(f"package {package}")

    if assigned.last_run:
        terminal.show_rows({}, "nodes", map(shown, nodes), as_json, text)
    else:
        terminal.show({key: value for key, value in shown(nodes[0]).items() if key != "node"}, as_json, text)


@cli.task(
    help={
        "junit": "write the verdicts to this file, as JUnit XML",
        "reboot": "reboot each node first, and wait until it is back: at most --timeout seconds (default 300)",
    }
)
def verify(
    c: Context,
    nodes: NodeFlags,
    session: SessionFlags,
    fleet: FleetFlags,
    junit: str = "",
    reboot: bool = False,
    json: bool = False,
) -> None:
    """Prove that nodes are MPLS-ready: each condition, and the cause and cure where it is not so."""
    from mplskit.files import write_atomically
    from mplskit.fleet.junit import junit as document
    from mplskit.fleet.on_nodes import NodeTask, on_nodes
    from mplskit.node.verify import reboot as rebooting
    from mplskit.node.verify.suite import Suite
    from mplskit.node.verify.verify import verify as look

    if junit:
        # What an earlier run said must not be taken for this one's.
        Path(junit).unlink(missing_ok=True)
    patience = whole_number(fleet.timeout or str(rebooting.PATIENCE), "--timeout", 1, DAY) if reboot else 0

    def work(node: "Node") -> "Done":
        if reboot:
            rebooting.reboot(node.host, patience)
        return _verified(node, look(node.host, suite))

    def report(outcomes: "Sequence[Outcome]") -> None:
        if junit:
            write_atomically(Path(junit), document(outcomes))

    if reboot:
        fleet = replace(fleet, timeout=str(min(DAY, patience + PATIENCE)))
    with Suite() as suite:
        on_nodes(NodeTask("verify", work, each=True, report=report), nodes, session, fleet, json=json)


def _verified(node: "Node", checks: "Sequence[Check]") -> "Done":
    from mplskit.errors import NotSo
    from mplskit.fleet.outcome import Done

    unmet = [check for check in checks if check.passed is False]
    ready = all(check.passed for check in checks)
    document = {"ready": ready, "checks": [asdict(check) for check in checks]}
    if ready:
        return Done(document, _show_checks)
    names = ", ".join(check.id for check in unmet or checks if not check.passed)
    failure = NotSo(f"{node.name} is not MPLS-ready: {names}", hint="each is above, with its cause and its cure")
    return Done(document, _show_checks, failure=failure, complete=False)


def _show_checks(document: "Document") -> None:
    from mplskit.node.verify.verify import Check

    words = {True: "ok", False: "FAIL", None: "not told"}
    checks = [Check(**check) for check in document["checks"]]
    terminal.table(
        ("", "id", "condition", "seen"),
        [(words[check.passed], check.id, check.title, check.seen) for check in checks],
    )
    for check in checks:
        if check.passed is False:
            print(f"{check.id}: not so: {check.title}\n  seen:  {check.seen}")
            print(f"  cause: {check.cause}\n  cure:  {check.cure}\n")
