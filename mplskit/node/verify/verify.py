"""Proves that a node is MPLS-ready: the suite bootstrap/checks, run by pytest in a process of its own."""

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mplskit import process, progress
from mplskit.errors import OutsideFailed
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.checklist import Condition, load_checklist
from mplskit.node.verify.questions import Asked, answer
from mplskit.paths import data
from mplskit.remote.host import Host
from mplskit.remote.refusals import not_root
from mplskit.remote.session import Shell, shell

PATIENCE = 600.0

ALONE = {
    "PYTEST_ADDOPTS": "",
    "PYTEST_PLUGINS": "",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}

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


def verify(host: Host) -> list[Check]:
    """Look at every condition that the node's own spec brings, in one session with `host`; nothing is changed there.

    Nodes can be verified at the same time, in threads. Raises OutsideFailed when the host cannot be reached, or when a
    check itself broke down; MachineLacks when root cannot be reached there.
    """
    with progress.step(f"verifying {host}"):
        with shell(host) as session:
            _need_root(session)
            return _verdicts(_run_checks(session))


def verify_live(session: Asked, spec: NodeSpec) -> list[Check]:
    """Look at the settings and routes of a node that should be as `spec` says, whatever is written down there.

    Raises OutsideFailed when a check breaks down.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(spec.compact(), file)
        file.flush()
        return _verdicts(_run_checks(session, LIVE, ("--mplskit-spec", file.name)))


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


def _run_checks(session: Asked, names: Sequence[str] = (), options: Sequence[str] = ()) -> list[Mapping[str, str]]:
    """What came of each check. The checks' process has a socket to ask through, and nothing of the session itself."""
    folder = data("bootstrap") / "checks"
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryDirectory() as scratch:
        report, said = Path(scratch, "report.json"), Path(scratch, "said")
        ours.settimeout(PATIENCE)
        pytest: list[str | Path] = [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            folder / "pytest.ini",
            "--rootdir",
            folder,
            *([folder / name for name in names] or [folder]),
        ]
        words = [
            *options,
            "-p",
            "testinfra.plugin",
            f"--hosts=mplskit://{theirs.fileno()}",
            f"--mplskit-report={report}",
        ]
        with said.open("wb") as log:
            child = process.started(
                [*pytest, *words], stdout=log, stderr=subprocess.STDOUT, cwd=folder, env=ALONE,
                pass_fds=[theirs.fileno()],
            )  # fmt: skip
            with child as running:
                theirs.close()
                try:
                    answer(session, ours)
                    status = running.wait(PATIENCE)
                except (TimeoutError, subprocess.TimeoutExpired):
                    raise OutsideFailed(f"the checks of {session.host} did not end within {PATIENCE:g} s") from None
        results: list[Mapping[str, str]] = json.loads(report.read_text()) if report.exists() else []
        if status not in (0, 1) or not results:
            raise OutsideFailed(
                f"the checks of {session.host} did not run to their end",
                detail="\n".join(said.read_text(errors="replace").splitlines()[-process.TAIL_LINES :]),
            )
    return results


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
