"""`ci.pipeline`: the main job."""

from dataclasses import replace

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.config.flags import ConfigFlags
from mplskit.config.tasks import kernel_workspace, source_and_request
from mplskit.kernel.flags import PackagingFlags
from mplskit.remote.flags import SessionFlags
from mplskit.sources.flags import SourceFlags


@cli.task(
    help={
        "suite": "the Debian release of the image: bookworm or trixie (left out: this machine's)",
        "dry-run": "say what would be made, make nothing",
    }
)
def pipeline(
    c: Context,
    source: SourceFlags,
    config: ConfigFlags,
    session: SessionFlags,
    packaging: PackagingFlags,
    suite: str = "",
    json: bool = False,
    dry_run: bool = False,
) -> None:
    """Source, packages, image, boot, bootstrap, verify, and labels on the wire: the main job."""
    from mplskit import process
    from mplskit.debian.suites import release
    from mplskit.image.image_request import check_suite
    from mplskit.kernel.build import plan
    from mplskit.kernel.build_request import make_packaging
    from mplskit.pipeline.main_job import Job, run_pipeline
    from mplskit.wording import duration

    # The labs need their devices from the same kernel.
    config = replace(config, options=("lab", *config.options))
    way = make_packaging(packaging)
    spec, request = source_and_request(source, config, session)
    job = Job(spec, request, way, check_suite(suite or release()))
    if dry_run:
        terminal.show_fields({**plan(spec, request, way), "image": f"Debian {job.suite}"}, json)
        return
    workspace = kernel_workspace("ci.pipeline", spec)
    process.require_root("ci.pipeline")
    report = run_pipeline(workspace, job)

    def text() -> None:
        rows = [(row.step, row.made, row.proven, duration(row.seconds)) for row in report.rows]
        terminal.table(("step", "made", "proven", "took"), rows)
        print(f"all of it in {duration(report.seconds)}; what was made is in {workspace.dist}")

    terminal.show(report.as_json(), json, text)
