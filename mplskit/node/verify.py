"""Proves that a node is MPLS-ready: the suite bootstrap/checks, run by pytest in a process of its own."""

import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mplskit import process, progress
from mplskit.errors import OutsideFailed
from mplskit.node.checklist import Condition, load_checklist
from mplskit.paths import data
from mplskit.remote.host import Host
from mplskit.remote.refusals import not_root
from mplskit.remote.session import stream

PATIENCE = 600.0


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
    """Look at every condition of the checklist on `host`; nothing is changed there.

    Raises OutsideFailed when the host cannot be reached, or when a check itself broke down; MachineLacks when the
    login there is not root's.
    """
    with progress.step(f"verifying {host}"):
        _need_root(host)
        results = _run_checks(host)
    return [_verdict(condition, results) for condition in load_checklist().values()]


def _need_root(host: Host) -> None:
    said: list[str] = []
    _, words = stream(host, "exec sh -c 'id -u; id -un'", (), said.append)
    number, name = said[-2:] if len(said) > 1 else ("", "")  # what a login script says comes before
    if not number.isdigit():
        raise OutsideFailed(f"{host} runs no commands", detail="\n".join([*said, *words.strip().splitlines()][-15:]))
    if number != "0":
        raise not_root(host, f"must run as root, not as {name}")


def _run_checks(host: Host) -> list[Mapping[str, str]]:
    folder = data("bootstrap") / "checks"
    config: list[str | Path] = ["--ssh-config", host.ssh_config.absolute()] if host.ssh_config is not None else []
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        pytest = (
            sys.executable,
            "-m",
            "pytest",
            "-c",
            str(folder / "pytest.ini"),
            "--rootdir",
            str(folder),
            str(folder),
        )
        answer = process.run(
            [*pytest, "-p", "testinfra.plugin", f"--hosts={hostspec(host)}", *config, f"--mplskit-report={report}"],
            cwd=folder,
            env={
                "PYTEST_ADDOPTS": "",
                "PYTEST_PLUGINS": "",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            timeout=PATIENCE,
            check=False,
            failure=OutsideFailed,
        )
        results: list[Mapping[str, str]] = json.loads(report.read_text()) if report.exists() else []
    if answer.returncode not in (0, 1) or not results:
        raise OutsideFailed(
            f"the checks of {host} did not run to their end",
            detail="\n".join((answer.stdout + answer.stderr).splitlines()[-15:]),
        )
    return results


def hostspec(host: Host) -> str:
    """The host as testinfra's --hosts wants it."""
    user = f"{quote(host.user, safe='')}@" if host.user is not None else ""
    name = f"[{quote(host.name, safe=':')}]" if ":" in host.name else host.name
    port = f":{host.port}" if host.port is not None else ""
    return f"ssh://{user}{name}{port}"


def _verdict(condition: Condition, results: Sequence[Mapping[str, str]]) -> Check:
    found = next((result for result in results if result["id"] == condition.id), None)
    if found is None or found["outcome"] == "error":
        raise OutsideFailed(
            f"the check of {condition.id} ({condition.title}) broke down",
            detail=found["seen"] if found else "it did not run",
            hint="run it again; if the session was cut, look at the node",
        )
    passed = {"passed": True, "failed": False, "skipped": None}[found["outcome"]]
    return Check(condition.id, condition.title, passed, found["seen"], condition.cause, condition.cure)
