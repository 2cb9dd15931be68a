"""Proves that a node is MPLS-ready: what the suite bootstrap/checks finds there, as verdicts."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mplskit import progress
from mplskit.errors import OutsideFailed
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.checklist import Condition, load_checklist
from mplskit.node.verify.suite import Suite
from mplskit.remote.host import Host
from mplskit.remote.refusals import not_root
from mplskit.remote.session import RunsCommands, Shell, shell

# The files of checks that look at what the kernel has now.
LIVE = ("test_settings.py", "test_routes.py")

PASSED = {"passed": True, "failed": False, "skipped": None}


@dataclass(frozen=True)
class Check:
    """One condition looked at. `passed` is None when it could not be told because another one is not so."""

    id: str
    title: str
    passed: bool | None
    seen: str
    cause: str
    cure: str


def verify(host: Host, suite: Suite | None = None) -> list[Check]:
    """Look at every condition that the node's own spec brings, in one session with `host`; nothing is changed there.

    Nodes can be verified at the same time, in threads: they share a `suite`. Raises OutsideFailed when the host cannot
    be reached, or when a check itself broke down; MachineLacks when root cannot be reached there.
    """
    with progress.step(f"verifying {host}"), _shared(suite) as checks:
        with shell(host) as session:
            _need_root(session)
            return _verdicts(checks.run(session))


def verify_live(session: RunsCommands, spec: NodeSpec, suite: Suite | None = None) -> list[Check]:
    """Look at the settings and routes of a node that should be as `spec` says, whatever is written down there.

    Raises OutsideFailed when a check breaks down.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file, _shared(suite) as checks:
        json.dump(spec.compact(), file)
        file.flush()
        return _verdicts(checks.run(session, LIVE, Path(file.name)))


def _shared(suite: Suite | None) -> AbstractContextManager[Suite]:
    return Suite() if suite is None else nullcontext(suite)


def _verdicts(results: Sequence[Mapping[str, str]]) -> list[Check]:
    found = {result["id"] for result in results}
    checks = (_verdict(condition, results) for id, condition in load_checklist().items() if id in found)
    return [check for check in checks if check is not None]


def _need_root(session: Shell) -> None:
    said = session.run(["sh", "-c", "id -u; id -un"], check=False).output
    number, name = said.split() if len(said.split()) == 2 else ("", "")
    if not number.isdigit():
        raise OutsideFailed(f"{session.host} runs no commands", detail=said)
    if number != "0":
        raise not_root(session.host, f"must run as root, not as {name}")


def _verdict(condition: Condition, results: Sequence[Mapping[str, str]]) -> Check | None:
    found = next((result for result in results if result["id"] == condition.id), None)
    if found is None or found["outcome"] == "error":
        raise OutsideFailed(
            f"the check of {condition.id} ({condition.title}) broke down",
            detail=found["seen"] if found else "it did not run",
            hint="run it again; if the session was cut, look at the node",
        )
    if found["outcome"] not in PASSED:
        return None
    return Check(
        condition.id, condition.title, PASSED[found["outcome"]], found["seen"], condition.cause, condition.cure
    )
