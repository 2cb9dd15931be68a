"""`iproute2.list`, `iproute2.build` and `iproute2.verify`."""

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.sources.flags import SourceFlags
from mplskit.sources.tasks import LISTED, show_listing
from mplskit.whole_number import whole_number


@cli.task(name="list", help=LISTED)
def list_versions(c: Context, source: str = "", json: bool = False) -> None:
    """Show the versions of iproute2 that can be had, and what to write after --source for each."""
    from mplskit.sources.listing import listing
    from mplskit.sources.source_cache import IPROUTE2
    from mplskit.task_folders import workspace_for

    show_listing(listing(IPROUTE2, source, workspace_for("iproute2.list").cache), json)


@cli.task(
    help={
        "revision": "the N in the version VERSION+mplsN",
        "jobs": "how many compilers at a time (left out: one for each CPU)",
    }
)
def build(c: Context, source: SourceFlags, revision: str = "1", jobs: str = "", json: bool = False) -> None:
    """Build iproute2 as a Debian package, and prove that its ip speaks MPLS."""
    import os

    from mplskit.iproute2.build import build_iproute2
    from mplskit.sources.source_spec import parse_spec
    from mplskit.task_folders import workspace_for

    spec = parse_spec(source.source, source.insecure_source)
    count = whole_number(jobs, "--jobs", 1, 1024) if jobs else len(os.sched_getaffinity(0))
    number = whole_number(revision, "--revision", 1, 9999)
    made = build_iproute2(workspace_for("iproute2.build"), spec, number, count)
    terminal.show(made.metadata, json, lambda: print(made.path))


@cli.task(help={"package": "an iproute2 package file (left out: the one in dist/)"})
def verify(c: Context, package: str = "", json: bool = False) -> None:
    """Prove that the ip inside a package speaks MPLS; exit 1 where it does not."""
    from dataclasses import asdict
    from pathlib import Path

    from mplskit.iproute2.build import delivered
    from mplskit.iproute2.prove import prove
    from mplskit.paths import Workspace

    probes = prove(Path(package) if package else delivered(Workspace.here()))
    terminal.show(
        [asdict(probe) for probe in probes],
        json,
        lambda: terminal.table(("proves", "command", "answer"), [(p.shows, p.command, p.answer) for p in probes]),
    )
