"""`kernel.fetch`: bring a kernel source into the cache. `kernel.list`: what can be fetched."""

from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.sources.flags import SourceFlags

if TYPE_CHECKING:
    from mplskit.sources.listing import Listing


@cli.task()
def fetch(c: Context, source: SourceFlags, json: bool = False) -> None:
    """Bring a kernel source into the cache, verified and unpacked."""
    from mplskit.sources.kernel_source import fetch_kernel
    from mplskit.sources.source_spec import parse_spec
    from mplskit.task_folders import workspace_for

    tree = fetch_kernel(parse_spec(source.source, source.insecure_source), workspace_for("kernel.fetch").cache)
    terminal.show(tree.as_json(), json, lambda: print(f"Linux {tree.version} ({tree.origin})\n{tree.path}"))


# What the tasks take that list sources.
LISTED = {
    "source": "debian, debian:SUITE or kernel.org (left out: this machine's apt, suites that were used, kernel.org)",
}


@cli.task(name="list", help=LISTED)
def list_kernels(c: Context, source: str = "", json: bool = False) -> None:
    """Show the kernel versions that can be had, and what to write after --source for each."""
    from mplskit.sources.listing import listing
    from mplskit.sources.source_cache import LINUX
    from mplskit.task_folders import workspace_for

    show_listing(listing(LINUX, source, workspace_for("kernel.list").cache), json)


def show_listing(listed: "Listing", as_json: bool) -> None:
    """Put a listing on stdout: a table, and below it the sources that could not be asked."""
    from dataclasses import asdict

    def text() -> None:
        rows = [(one.spec, one.version, one.origin, one.released) for one in listed.offers]
        terminal.table(("--source", "version", "from", "released"), rows)
        for failed in listed.failed:
            print(f"{failed.source} could not be asked: {failed.reason}")

    terminal.show(asdict(listed), as_json, text)
