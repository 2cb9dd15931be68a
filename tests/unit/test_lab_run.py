"""A run whose machine fails: what is left of it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mplskit.errors import OutsideFailed
from mplskit.lab.grammar.labs import load
from mplskit.lab.run_lab import run_lab
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.node.grammar.spec import NodeSpec
from mplskit.remote.host import Host
from mplskit.remote.session import Answer


class Lost:
    """A machine that answers everything, a capture by a process id, until a command has the word `fatal` in it."""

    host = Host("lost")

    def __init__(self, fatal: str) -> None:
        self.fatal = fatal
        self.gone = False

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        self.gone = self.gone or self.fatal in argv
        if self.gone:
            raise OutsideFailed("ssh to lost failed", detail="Connection closed")
        return Answer(tuple(argv), 0, "7" if "tcpdump" in argv else "[]")

    def read(self, path: str) -> bytes:
        raise OutsideFailed(f"no file {path}")


class Bare(Namespaces):
    """Namespaces whose nodes need no set-up."""

    def apply(self, nodes: Mapping[str, NodeSpec]) -> None:
        pass


def test_a_run_that_loses_its_machine_leaves_a_report_and_says_what_failed(tmp_path: Path) -> None:
    with pytest.raises(OutsideFailed) as caught:
        run_lab(Bare(load("hello-world"), Lost("ping")), tmp_path)
    assert caught.value.message == "ssh to lost failed"
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["passed"] is False
    verdicts = [step["verdict"] for step in report["steps"]]
    assert verdicts == ["passed", "stopped", "skipped", "skipped", "stopped"]
    assert report["steps"][1]["checks"][0]["about"] == "ssh to lost failed"
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "junit.xml").is_file()
