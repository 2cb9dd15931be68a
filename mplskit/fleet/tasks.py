"""`node.plan`, `node.bootstrap`, `node.verify`, `node.remove`: what would change, set it up, prove it, take it back."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.fleet.inventory.flags import DAY, ENGINE, FLEET, PASSWORD, SELECTION
from mplskit.fleet.many import on_nodes
from mplskit.number import whole_number

if TYPE_CHECKING:
    from mplskit.debian.package_file import Deb
    from mplskit.fleet.asked import Asked, Asks
    from mplskit.fleet.outcome import Document, Done, Outcome
    from mplskit.node.node import Node
    from mplskit.node.payload.apt import Apt
    from mplskit.node.report import Report
    from mplskit.node.verify.verify import Check

JSON = "print one JSON document"
PACKAGES = {
    "packages": "a folder with the kernel and iproute2 to install; without it the node's own are kept",
    "apt": "a .sources file (deb822) of a signed apt repository, from where the node installs each --package",
    "package": "with --apt: a package to install, as NAME or NAME=VERSION (again for each)",
}
FLAGS = {**SELECTION, **PASSWORD, **FLEET}
# What a node should be stands on the node itself where it is only looked at or taken back.
_SPEC = ("mpls_input", "platform_labels", "allow")
REACH = {name: flag for name, flag in FLAGS.items() if name not in _SPEC}


@cli.task(
    help={
        **PACKAGES,
        "json": JSON,
        "dry-run": "show the files and packages that would be brought; touch nothing, not even by ssh",
    },
    flags={**FLAGS, **ENGINE},
    iterable=["package"],
)
def bootstrap(
    c: Context,
    packages: str = "",
    apt: str = "",
    package: list[str] = [],  # noqa: B006 - Invoke fills it
    json: bool = False,
    dry_run: bool = False,
    engine: str = "ssh",
    **flags: Any,
) -> None:
    """Make nodes MPLS-ready, now and after every boot. What is so already is left alone."""
    from mplskit import progress
    from mplskit.fleet import completion, show
    from mplskit.fleet.asked import asked
    from mplskit.fleet.formats.pyinfra import Carried
    from mplskit.fleet.pyinfra.engines import engine_of
    from mplskit.node.bootstrap import GUEST_KERNEL, brings_guest_kernel
    from mplskit.node.bootstrap import bootstrap as set_up
    from mplskit.node.payload.apt import apt_of

    debs = _debs(packages)
    from_apt = apt_of(Path(apt) if apt else None, package)
    guest = brings_guest_kernel([deb.path for deb in debs])
    if guest:
        progress.note(f"! {GUEST_KERNEL}")
    asks = _asks(debs, from_apt)

    def judged(node: "Node", report: "Report") -> "Done":
        return completion.bootstrapped(node, report, GUEST_KERNEL if guest else "")

    def work(node: "Node") -> "Done":
        with progress.step(f"setting up {node.name}"):
            report = set_up(node, debs, apt=from_apt, hear=show.teller())
        return judged(node, report)

    carrier = engine_of(engine, Carried("node", debs, from_apt), judged)
    if dry_run:
        _show_files(asked("bootstrap", asks, pyinfra=carrier is not None, **flags), debs, from_apt, json)
        return
    on_nodes("bootstrap", work, json=json, asks=asks, engine=carrier, **flags)


@cli.task(help={**PACKAGES, "json": JSON}, flags={**FLAGS, **ENGINE}, iterable=["package"])
def plan(
    c: Context,
    packages: str = "",
    apt: str = "",
    package: list[str] = [],  # noqa: B006 - Invoke fills it
    json: bool = False,
    engine: str = "ssh",
    **flags: Any,
) -> None:
    """Show what node.bootstrap would change; change nothing. Exit 0: nothing to do, 1: changes."""
    from mplskit import progress
    from mplskit.fleet import completion
    from mplskit.fleet.formats.pyinfra import Carried
    from mplskit.fleet.pyinfra.engines import engine_of
    from mplskit.node.payload.apt import apt_of
    from mplskit.node.plan import plan as look

    debs = _debs(packages)
    from_apt = apt_of(Path(apt) if apt else None, package)

    def work(node: "Node") -> "Done":
        with progress.step(f"planning {node.name}"):
            report = look(node, debs, apt=from_apt)
        return completion.planned(node, report)

    carrier = engine_of(engine, Carried("plan", debs, from_apt), completion.planned)
    on_nodes("plan", work, json=json, each=True, asks=_asks(debs, from_apt), engine=carrier, **flags)


@cli.task(help={"json": JSON}, flags=REACH)
def remove(c: Context, json: bool = False, **flags: Any) -> None:
    """Take back from nodes what node.bootstrap brought; put back what was there before. Packages stay."""
    from mplskit import progress
    from mplskit.fleet import completion, show
    from mplskit.node.remove import remove as take_back

    def work(node: "Node") -> "Done":
        with progress.step(f"removing our setup from {node.name}"):
            report = take_back(node, hear=show.teller())
        return completion.removed(node, report)

    on_nodes("remove", work, json=json, **flags)


@cli.task(
    help={
        "format": "files, cloud-init, pyinfra or ansible",
        "to": "the folder to write (default: dist/nodes/FORMAT); one that node.render wrote before is replaced",
        "json": JSON,
    },
    flags=SELECTION,
)
def render(c: Context, format: str = "files", to: str = "", json: bool = False, **flags: Any) -> None:
    """Write the set-up of nodes for those who carry it there themselves; reaches no node."""
    from mplskit.fleet.formats.folder import write
    from mplskit.fleet.inventory.selection import chosen
    from mplskit.paths import Workspace

    folder = Path(to) if to else Workspace.here().dist / "nodes" / format
    nodes = chosen(**flags, reached=False)
    files = write(format, nodes, folder)
    document = {"format": format, "folder": str(folder), "nodes": [node.name for node in nodes], "files": files}
    terminal.show(document, json, lambda: print(folder, flush=True))


def _debs(folder: str) -> "Sequence[Deb]":
    from mplskit.debian.package_file import read_deb
    from mplskit.node.payload.packages import node_packages

    return [read_deb(path) for path in node_packages(Path(folder))] if folder else []


def _asks(packages: "Sequence[Deb]", apt: "Apt | None") -> "Asks":
    """What is asked for on a node. What the run allows changes nothing on a node that got done without."""
    brought = [[deb.package.sha256 for deb in packages], apt]
    return lambda node: [node.spec.model_dump(mode="json", exclude={"allow"}), *brought]


def _show_files(asked: "Asked", packages: "Sequence[Deb]", apt: "Apt | None", as_json: bool) -> None:
    from mplskit.node.payload.render import render

    nodes = asked.nodes
    brought = [*(str(deb.path) for deb in packages), *(apt.packages if apt else ())]

    def shown(node: "Node") -> dict[str, Any]:
        return {"node": node.name, "files": {**render(node.spec), **(apt.files if apt else {})}, "packages": brought}

    def text() -> None:
        for node in nodes:
            if len(nodes) > 1:
                print(f"## {node.name}")
            for path, lines in shown(node)["files"].items():
                print(f"# {path}\n{lines}")
            for package in brought:
                print(f"package {package}")

    if asked.last:
        terminal.show_rows({}, "nodes", map(shown, nodes), as_json, text)
    else:
        terminal.show({key: value for key, value in shown(nodes[0]).items() if key != "node"}, as_json, text)


@cli.task(
    help={
        "json": JSON,
        "junit": "write the verdicts to this file, as JUnit XML",
        "reboot": "reboot each node first, and wait until it is back: at most --timeout seconds (default 300)",
    },
    flags=REACH,
)
def verify(c: Context, junit: str = "", reboot: bool = False, json: bool = False, **flags: Any) -> None:
    """Prove that nodes are MPLS-ready: each condition, and the cause and cure where it is not so."""
    from mplskit.files import write_atomically
    from mplskit.fleet.inventory.flags import PATIENCE as LOOKING
    from mplskit.fleet.junit import junit as document
    from mplskit.node.verify.reboot import PATIENCE
    from mplskit.node.verify.reboot import reboot as restart
    from mplskit.node.verify.suite import Suite
    from mplskit.node.verify.verify import verify as look

    if junit:
        # What an earlier run said must not be taken for this one's.
        Path(junit).unlink(missing_ok=True)
    patience = whole_number(flags["timeout"] or str(PATIENCE), "--timeout", 1, DAY) if reboot else 0

    def work(node: "Node") -> "Done":
        if reboot:
            restart(node.host, patience)
        return _verified(node, look(node.host, suite))

    def report(outcomes: "Sequence[Outcome]") -> None:
        if junit:
            write_atomically(Path(junit), document(outcomes))

    if reboot:
        flags["timeout"] = str(min(DAY, patience + LOOKING))
    with Suite() as suite:
        on_nodes("verify", work, json=json, each=True, report=report, **flags)


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
