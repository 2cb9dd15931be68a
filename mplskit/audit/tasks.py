"""`kernel.audit`: is a kernel ready for MPLS, or must one be built?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.audit.flags import CompletingSourceFlags
from mplskit.remote.flags import SessionFlags

if TYPE_CHECKING:
    from mplskit.audit.feature_verdicts import Verdict
    from mplskit.audit.features import Knowledge
    from mplskit.audit.judged_kernel import Kernel


@cli.task(
    help={
        "subject": "a configuration, a linux-image package (again for each further package of the same kernel), "
        "a vmlinuz, dist, stock, debian:SUITE[/PACKAGE] or apt:PACKAGE; left out: the kernel that runs",
        "host": "the kernel that this node runs: user@host:port or a name from ssh_config",
        "need": "a feature that must be ready, too; may be given more than once",
    }
)
def audit(
    c: Context,
    completing: CompletingSourceFlags,
    session: SessionFlags,
    subject: tuple[str, ...] = (),
    host: str = "",
    need: tuple[str, ...] = (),
    json: bool = False,
) -> None:
    """Judge a kernel: what MPLS it can do, and what to do where it cannot; exit 1 when it is not MPLS-ready."""
    from mplskit.audit.audit_report import as_json, demand, known_needs
    from mplskit.audit.feature_verdicts import feature_verdicts
    from mplskit.audit.features import load_features
    from mplskit.audit.subject import completed_kernel, find_kernel
    from mplskit.config.tasks import kernel_workspace
    from mplskit.debian.kernel_choice import is_word
    from mplskit.remote.reach import session_host
    from mplskit.sources.source_spec import parse_spec
    from mplskit.task_folders import Needs, workspace_for

    knowledge = load_features()
    known_needs(need, knowledge)
    spec = parse_spec(completing.source, completing.insecure_source) if completing.source else None
    node = session_host(host, session)
    if spec:
        kernel = completed_kernel(subject, spec, kernel_workspace("kernel.audit", spec))
    else:
        fetched = {} if any(map(is_word, subject)) else {"cache": Needs.NOTHING}
        kernel = find_kernel(subject, node, workspace_for("kernel.audit", **fetched))
    verdicts = feature_verdicts(kernel, knowledge)
    terminal.show(as_json(kernel, verdicts, need, knowledge), json, lambda: _show(kernel, verdicts, knowledge))
    ready = demand(kernel, verdicts, need, knowledge)
    if not json:
        print(ready)


def _show(kernel: "Kernel", verdicts: "Sequence[Verdict]", knowledge: "Knowledge") -> None:
    from mplskit.audit.audit_report import header, reasons, rows

    print(header(kernel))
    terminal.table(("feature", "verdict", "symbol", "is", "where"), rows(verdicts))
    for line in reasons(kernel, verdicts, knowledge):
        print(line)
