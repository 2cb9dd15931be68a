"""`node.bootstrap` and `node.verify`: set a node up over SSH, and prove that it is."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli

if TYPE_CHECKING:
    from mplskit.node.spec import NodeSpec
    from mplskit.remote.host import Host

HOST = "the node: user@host:port, a name from ssh_config, or an IPv6 address ([::1]:22 with a port)"
SSH_CONFIG = "an ssh_config file to use instead of yours"


@cli.task(
    help={
        "host": HOST,
        "packages": "a folder with the kernel and iproute2 to install; without it the node's own are kept",
        "mpls-input": "an interface where labelled packets are accepted (again for each; no other accepts any)",
        "platform-labels": "size of the label table: incoming labels are below it (default 100000)",
        "ssh-config": SSH_CONFIG,
        "json": "print one JSON document",
        "dry-run": "show the files and packages that would be brought; touch nothing",
    },
    iterable=["mpls_input"],
)
def bootstrap(
    c: Context,
    host: str = "",
    packages: str = "",
    mpls_input: list[str] = [],  # noqa: B006 - Invoke fills it
    platform_labels: str = "100000",
    ssh_config: str = "",
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Make a node MPLS-ready, now and after every boot. What is so already is left alone."""
    from mplskit import progress
    from mplskit.errors import NotSo
    from mplskit.node.bootstrap import GUEST_KERNEL, brings_guest_kernel
    from mplskit.node.bootstrap import bootstrap as set_up
    from mplskit.node.packages import node_packages

    node = _host(host, ssh_config)
    spec = _spec(mpls_input, platform_labels)
    carried = node_packages(Path(packages)) if packages else []
    guest = brings_guest_kernel(carried)
    if guest:
        progress.note(f"! {GUEST_KERNEL}")
    if dry_run:
        _show_plan(spec, carried, json)
        return
    report = set_up(node, spec, carried)
    rows = [(item.state, item.kind, item.name, item.detail) for item in report.items if item.state != "same"]
    cli.show({"host": host, **asdict(report)}, json, lambda: _show_rows(rows, report.changed))
    if report.failed:
        names = ", ".join(f"{item.kind} {item.name}" for item in report.failed)
        raise NotSo(
            f"{host} is not set up: {names}",
            hint=_way_on(report.failed[0].kind, report.failed[0].name),
        )
    if report.reboot_needed:
        raise NotSo(
            f"{host} needs a reboot: kernel {report.reboot_needed}",
            hint="reboot it, then node.verify" + (f"; mind that {GUEST_KERNEL}" if guest else ""),
        )


def _host(text: str, ssh_config: str) -> "Host":
    from mplskit.errors import WrongInput
    from mplskit.remote.host import ALLOWED, Host

    if not text:
        raise WrongInput("--host is missing: which node?", hint=f"allowed: {ALLOWED}")
    return Host.parse(text, Path(ssh_config) if ssh_config else None)


def _spec(mpls_input: Sequence[str], platform_labels: str) -> "NodeSpec":
    from pydantic import ValidationError

    from mplskit.node.spec import LABEL_MAX, NodeSpec, wrong_input

    size = cli.number(platform_labels, "--platform-labels", 0, LABEL_MAX)
    try:
        return NodeSpec(platform_labels=size, mpls_input=tuple(mpls_input))
    except ValidationError as error:
        raise wrong_input(error, "the node") from None


def _show_plan(spec: "NodeSpec", packages: Sequence[Path], as_json: bool) -> None:
    from mplskit.node.render import render

    files = render(spec)

    def text() -> None:
        for path, content in files.items():
            print(f"# {path}\n{content}")
        for package in packages:
            print(f"package {package}")

    cli.show({"files": files, "packages": [str(package) for package in packages]}, as_json, text)


def _show_rows(rows: Sequence[tuple[str, ...]], changed: bool) -> None:
    if rows:
        cli.table(("state", "kind", "name", "detail"), rows)
    if not changed:
        print("no change")


def _way_on(kind: str, name: str) -> str:
    if kind == "node":
        return "mplskit sets up Debian and what is made of it"
    if kind == "module":
        return "node.verify names the cause and its cure"
    return "correct that on the node and run it again: what is done stays"


@cli.task(help={"host": HOST, "ssh-config": SSH_CONFIG, "json": "print one JSON document"})
def verify(c: Context, host: str = "", ssh_config: str = "", json: bool = False) -> None:
    """Prove that a node is MPLS-ready: each condition, and the cause and cure where it is not so."""
    from mplskit.errors import NotSo
    from mplskit.node.verify import verify as look

    checks = look(_host(host, ssh_config))
    unmet = [check for check in checks if check.passed is False]
    words = {True: "ok", False: "FAIL", None: "not told"}
    rows = [(words[check.passed], check.id, check.title, check.seen) for check in checks]

    def text() -> None:
        cli.table(("", "id", "condition", "seen"), rows)
        for check in unmet:
            print(f"{check.id}: not so: {check.title}\n  seen:  {check.seen}")
            print(f"  cause: {check.cause}\n  cure:  {check.cure}\n")

    cli.show(
        {"host": host, "ready": all(check.passed for check in checks), "checks": [asdict(k) for k in checks]},
        json,
        text,
    )
    if not all(check.passed for check in checks):
        names = ", ".join(check.id for check in unmet or checks if not check.passed)
        raise NotSo(f"{host} is not MPLS-ready: {names}", hint="each is above, with its cause and its cure")
