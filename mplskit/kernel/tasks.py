"""`kernel.build`: a kernel as Debian packages."""

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.config.flags import ConfigFlags
from mplskit.config.tasks import kernel_workspace, source_and_request
from mplskit.kernel.flags import PackagingFlags
from mplskit.remote.flags import SessionFlags
from mplskit.sources.flags import SourceFlags


@cli.task(help={"dry-run": "show the settings and the command, build nothing"})
def build(
    c: Context,
    source: SourceFlags,
    config: ConfigFlags,
    session: SessionFlags,
    packaging: PackagingFlags,
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Build a kernel as Debian packages that provably hold the MPLS options."""
    from mplskit.kernel.build import build_kernel, plan
    from mplskit.kernel.build_request import make_packaging

    way = make_packaging(packaging)
    spec, request = source_and_request(source, config, session)
    if dry_run:
        terminal.show_fields(plan(spec, request, way), json)
        return
    workspace = kernel_workspace("kernel.build", spec)
    built = build_kernel(workspace, spec, request, way)
    terminal.show(built.metadata, json, lambda: print("\n".join(str(workspace.dist / p.file) for p in built.packages)))
