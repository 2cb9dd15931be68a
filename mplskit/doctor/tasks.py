"""`doctor`: what this machine lacks for each task, and the command that brings it."""

from invoke.context import Context

from mplskit import cli, terminal


@cli.task()
def doctor(c: Context, json: bool = False) -> None:
    """Say what this machine lacks for each task, and the command that brings it."""
    from mplskit.doctor.findings import examine
    from mplskit.errors import MachineLacks
    from mplskit.paths import Workspace

    findings = examine(Workspace.here())
    rows = [(f.subject, "ok" if f.good else "missing" if f.needed else "note", f.found, f.cure) for f in findings]
    headings = ("what", "", "found", "do")
    terminal.show(
        [dict(zip(("what", "verdict", "found", "do"), row, strict=True)) for row in rows],
        json,
        lambda: terminal.table(headings, rows),
    )
    absent = [f.subject for f in findings if f.needed and not f.good]
    if absent:
        raise MachineLacks(
            f"this machine is not ready for: {', '.join(absent)}", hint="the last column has the commands"
        )
