"""The checks of an MPLS-ready node. From any machine that has mplskit:

    pytest --hosts=ssh://root@NODE bootstrap/checks
    pytest --hosts=ssh://ann@NODE --sudo bootstrap/checks
    pytest --hosts=local:// bootstrap/checks          on the node itself, as root

A failed check says what was seen, why that is so, and what cures it.
"""

import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from testinfra.backend.ssh import SshBackend
from testinfra.host import Host

from mplskit import process
from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.checklist import load_checklist
from mplskit.node.verify.facts import Facts
from mplskit.node.verify.pytest_forks import FOUND
from mplskit.node.verify.questions_ahead import Ahead
from mplskit.node.verify.testinfra_backend import register
from mplskit.remote.host import APART, OURS

CHECKLIST = load_checklist()
NOT_ASKED = "the spec asks for none"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--mplskit-spec", metavar="FILE", help="the node should be as FILE says (JSON), not as it says")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = []
    register()


@pytest.fixture(scope="session")
def connections() -> Iterator[Path]:
    """A folder for the sockets of SSH connections, one per node, which are closed at the end."""
    with tempfile.TemporaryDirectory(prefix="mplskit-", dir="/tmp") as folder:
        yield Path(folder)
        for socket in Path(folder).iterdir():
            process.run(["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "node"], check=False)


@pytest.fixture(scope="session")
def nodes() -> dict[str, Facts]:
    """What is known of each node, shared by all files of checks."""
    return {}


@pytest.fixture(scope="module")
def facts(request: pytest.FixtureRequest, host: Host, nodes: dict[str, Facts]) -> Facts:
    """The node; by SSH all questions go through one connection."""
    if isinstance(host.backend, SshBackend):
        host.backend.controlpath = f"{request.getfixturevalue('connections')}/%%C"
        settings = " ".join(f"-o {setting}" for setting in (*OURS, *APART))
        host.backend.ssh_extra_args = f"{settings} {host.backend.ssh_extra_args or ''}".strip()
    given = request.config.getoption("--mplskit-spec")
    spec = NodeSpec.model_validate_json(Path(given).read_text()) if given else None
    name = host.backend.get_pytest_id()
    if name not in nodes:
        asked = Ahead(host)
        nodes[name] = Facts(asked, spec)
        if spec is None:  # else few checks are run
            asked.ask_for(nodes[name], "probe")
    return nodes[name]


@pytest.fixture
def spec(facts: Facts) -> NodeSpec:
    """What the node should be."""
    if facts.spec is None:
        pytest.skip("the node does not say what it should be: see N1")
    return facts.spec


@pytest.fixture
def asked() -> Callable[[object, str], None]:
    """Called with what the spec asks for, and what to call it: without any there is nothing to look at."""

    def there(wanted: object, what: str) -> None:
        if not wanted:
            pytest.skip(f"{NOT_ASKED}: {what}")

    return there


@pytest.fixture
def live(facts: Facts) -> None:
    """For checks of what mpls_router brings."""
    if facts.platform_labels is None:
        pytest.skip("mpls_router is not live: see K3")


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Called with what was found on the node, before it is judged."""

    def remember(text: str) -> None:
        lines = (line.strip() for line in text.splitlines())
        request.node.user_properties.append(("seen", "; ".join(line for line in lines if line)))

    return remember


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    if not (report.when == "call" or report.outcome != "passed"):
        return report
    condition = CHECKLIST[item.get_closest_marker("condition").args[0]]
    seen = " ".join(text for name, text in item.user_properties if name == "seen")
    judged = report.when == "call" and (call.excinfo is None or call.excinfo.errisinstance(AssertionError))
    if report.outcome == "skipped":
        seen = report.longrepr[2].removeprefix("Skipped: ")
    elif not judged:
        seen = str(call.excinfo.value)
    outcome = report.outcome if judged or report.outcome == "skipped" else "error"
    if seen.startswith(NOT_ASKED):
        outcome = "not asked for"
    item.config.stash[FOUND].append({"id": condition.id, "test": item.nodeid, "outcome": outcome, "seen": seen})
    if outcome == "failed":
        report.longrepr = "\n".join(
            (
                f"{condition.id}: not so: {condition.title}",
                f"  seen:  {seen}",
                f"  cause: {condition.cause}",
                f"  cure:  {condition.cure}",
            )
        )
    return report
