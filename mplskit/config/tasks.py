"""`kernel.config`: a configuration that provably holds what was asked. `kernel.options`: what can be asked by name."""

from typing import TYPE_CHECKING

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.config.flags import ConfigFlags
from mplskit.remote.flags import SessionFlags
from mplskit.sources.flags import SourceFlags

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mplskit.config.config_request import Request
    from mplskit.config.configure import Configured
    from mplskit.config.options import Named
    from mplskit.config.verdict import Verdict
    from mplskit.paths import Workspace
    from mplskit.sources.source_spec import Spec


def source_and_request(source: SourceFlags, config: ConfigFlags, session: SessionFlags) -> "tuple[Spec, Request]":
    """What the flags ask for, all of it checked before anything is fetched."""
    from mplskit.config.architecture import demand_environment
    from mplskit.config.config_request import make_request
    from mplskit.sources.source_spec import parse_spec

    demand_environment()
    return parse_spec(source.source, source.insecure_source), make_request(config, session)


def kernel_workspace(task: str, spec: "Spec") -> "Workspace":
    """The folders of a task that configures this source. Raises as `workspace_for` does, for the user's own tree, too.

    make works in the tree of a source: in the cache, or where the user has it.
    """
    from mplskit.sources.source_spec import Tree
    from mplskit.task_folders import Needs, demand, workspace_for

    if not isinstance(spec, Tree):
        return workspace_for(task)
    workspace = workspace_for(task, cache=Needs.NOTHING)
    demand(spec.path.absolute(), Needs.PLAIN | Needs.RUN, task, "move or copy the tree, and name the other place")
    return workspace


@cli.task(
    help={"diff": "show what differs from this configuration, a file as --base takes it, instead of the verdicts"}
)
def config(
    c: Context,
    source: SourceFlags,
    config: ConfigFlags,
    session: SessionFlags,
    diff: str = "",
    json: bool = False,
) -> None:
    """Configure a kernel and prove that every option asked is granted; exit 1 and the reason where not."""
    from mplskit.config.compare import old_configuration
    from mplskit.config.configure import configure, demand
    from mplskit.sources.kernel_source import fetch_kernel

    old = old_configuration(diff) if diff else None
    spec, request = source_and_request(source, config, session)
    workspace = kernel_workspace("kernel.config", spec)
    configured = configure(fetch_kernel(spec, workspace.cache), request, workspace)

    def text() -> None:
        verdicts = (*configured.verdicts, *configured.elsewhere, *configured.base)
        terminal.table(
            ("symbol", "asked", "got", "verdict", "asked by"),
            [(v.setting.symbol, v.setting.value, v.got, _verdict(v), v.setting.asked_by) for v in verdicts],
        )
        print(configured.path)

    if old is None:
        terminal.show(configured.as_json(), json, text)
    else:
        _show_differences(configured, old, diff, json)
    demand(configured)


def _show_differences(configured: "Configured", old: "Mapping[str, str]", called: str, json: bool) -> None:
    from mplskit.config.compare import differences

    found = differences(old, configured.values())

    def text() -> None:
        rows = [(one.symbol, one.old, one.new, str(one.side)) for one in found]
        terminal.table(("symbol", f"OLD ({called})", "here", "is"), rows)
        print(configured.path)

    terminal.show({**configured.as_json(), "diff": [one.as_json() for one in found]}, json, text)


def _verdict(verdict: "Verdict") -> str:
    """The verdict; why, where one might ask even though nothing is lost."""
    quiet = str(verdict.state) in ("not asked", "granted") and verdict.why
    return f"{verdict.state}: {verdict.why}" if quiet else str(verdict.state)


@cli.task(
    help={
        "name": "an option set or a base: show each of its symbols with the reason; left out: list them all",
    }
)
def options(c: Context, name: str = "", json: bool = False) -> None:
    """Say which option sets and bases there are, and why each symbol is in them."""
    from mplskit.config.options import find_named, named_bases, option_sets

    if name:
        found = find_named(name)
        terminal.show(found.as_json(), json, lambda: _show_named(found))
        return
    kinds = {"options": option_sets(), "bases": named_bases()}

    def text() -> None:
        for kind, every in kinds.items():
            rows = [(named.name, str(len(named.settings) or ""), named.summary) for named in every]
            terminal.table((kind, "settings", "what it is"), rows)

    listed = {
        kind: [{"name": named.name, "settings": len(named.settings), "summary": named.summary} for named in every]
        for kind, every in kinds.items()
    }
    terminal.show(listed, json, text)


def _show_named(found: "Named") -> None:
    print(found.summary)
    rows, before = [], ""
    for setting in found.settings:
        # One reason for several symbols is said once.
        said = setting.reason if setting.reason != before else ""
        rows.append((setting.symbol, setting.value, ", ".join(setting.marks()), said))
        before = setting.reason
    if rows:
        terminal.table(("symbol", "value", "releases", "reason"), rows)
