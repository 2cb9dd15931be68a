"""`kernel.config`: a configuration that provably holds what was asked. `kernel.options`: what can be asked by name."""

from typing import TYPE_CHECKING, Any

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.sources.tasks import SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mplskit.config.configure import Configured
    from mplskit.config.options import Named
    from mplskit.config.request import Request
    from mplskit.paths import Workspace
    from mplskit.sources.source_spec import Spec

# What every task takes that configures a kernel.
FLAGS = {
    **SOURCE,
    "base": cli.Flag(
        "where the configuration starts: guest, debian, defconfig, running (of this machine, or of --host), or a file",
        "guest",
    ),
    "host": cli.Flag("with --base running: the node whose kernel's configuration is taken"),
    "options": cli.Flag("an option set in kconfig/options; may be given more than once (mpls is always in)", []),
    "set_": cli.Flag("SYMBOL=VALUE, such as MPLS_ROUTING=y; may be given more than once", []),
    "fragment": cli.Flag("a file of settings in the kernel's own format; may be given more than once", []),
    "trim_to": cli.Flag("keep only the modules that this node uses or lists"),
    "ssh_config": cli.Flag("an ssh_config file to use instead of yours"),
    "fix": cli.Flag(
        "add what grants a lost setting, where there is one way only and nothing asked is taken back", False
    ),
}


def asked(
    *,
    source: str,
    insecure_source: bool,
    base: str,
    host: str,
    options: list[str],
    set_: list[str],
    fragment: list[str],
    trim_to: str,
    ssh_config: str,
    fix: bool,
) -> "tuple[Spec, Request]":
    """What FLAGS ask for, all of it checked before anything is fetched."""
    from mplskit.config.architecture import demand_environment
    from mplskit.config.request import make_request
    from mplskit.sources.source_spec import parse_spec

    demand_environment()
    spec = parse_spec(source, insecure_source)
    return spec, make_request(base, options, fragment, set_, host=host, trim_to=trim_to, ssh_config=ssh_config, fix=fix)


def kernel_workspace(task: str, spec: "Spec") -> "Workspace":
    """The folders of a task that configures this source. Raises as `workspace_for` does, for the user's own tree, too.

    make works in the tree of a source: in the cache, or where the user has it.
    """
    from mplskit.places import Needs, demand, workspace_for
    from mplskit.sources.source_spec import Tree

    if not isinstance(spec, Tree):
        return workspace_for(task)
    workspace = workspace_for(task, cache=Needs.NOTHING)
    demand(spec.path.absolute(), Needs.PLAIN | Needs.RUN, task, "move or copy the tree, and name the other place")
    return workspace


@cli.task(
    flags=FLAGS,
    help={
        "diff": "show what differs from this configuration, a file as --base takes it, instead of the verdicts",
        "json": "print one JSON document",
    },
)
def config(c: Context, diff: str = "", json: bool = False, **flags: Any) -> None:
    """Configure a kernel and prove that every option asked is granted; exit 1 and the reason where not."""
    from mplskit.config.compare import old_configuration
    from mplskit.config.configure import configure, demand, verdict_rows
    from mplskit.sources.kernel_source import fetch_kernel

    old = old_configuration(diff) if diff else None
    spec, request = asked(**flags)
    workspace = kernel_workspace("kernel.config", spec)
    configured = configure(fetch_kernel(spec, workspace.cache), request, workspace)

    def text() -> None:
        rows = verdict_rows([*configured.verdicts, *configured.elsewhere, *configured.base])
        terminal.table(
            ("symbol", "asked", "got", "verdict", "asked by"),
            [(r["symbol"], r["asked"], r["got"], _verdict(r), r["asked_by"]) for r in rows],
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


def _verdict(row: "dict[str, Any]") -> str:
    """The verdict; why, where one might ask even though nothing is lost."""
    quiet = row["verdict"] in ("not asked", "granted") and row["why"]
    return f"{row['verdict']}: {row['why']}" if quiet else str(row["verdict"])


@cli.task(
    help={
        "name": "an option set or a base: show each of its symbols with the reason; left out: list them all",
        "json": "print one JSON document",
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
