"""The checks of bootstrap/checks, asked of a node that a test makes up."""

import importlib.util
import inspect
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import pytest

from mplskit.node.grammar.spec import NodeSpec
from mplskit.node.verify.facts import Facts
from mplskit.node.verify.questions import Said
from mplskit.node.verify.questions_ahead import Ahead
from mplskit.paths import data
from mplskit.remote.host import Host


def node(spec: dict[str, Any], **known: Any) -> Facts:
    """A node that should be as `spec` says, and of which this is known: names of what Facts asks, and the answers."""
    facts = Facts(_Nobody(Host("node")), NodeSpec.model_validate(spec))
    facts.__dict__.update({"platform_labels": 100_000, "other_labels": (), **known})
    return facts


def judged(condition: str, facts: Facts) -> tuple[bool | None, str]:
    """Whether a condition holds there (None: not told), and what was seen."""
    check = _checks()[condition]
    said: list[str] = []
    fixtures = {"facts": facts, "spec": facts.spec, "seen": said.append, "asked": _asked, "live": None}
    try:
        check(*(fixtures[name] for name in inspect.signature(check).parameters))
    except AssertionError:
        return False, " ".join(said)
    except pytest.skip.Exception as skipped:
        return None, str(skipped)
    return True, " ".join(said)


class _Nobody(Ahead):
    def run(self, script: str) -> Said:
        raise RuntimeError(f"the test does not say what comes of {script}")


def _asked(wanted: object, what: str) -> None:
    if not wanted:
        pytest.skip(f"not asked for: {what}")


@cache
def _checks() -> dict[str, Callable[..., None]]:
    folder = data("bootstrap") / "checks"
    found = {}
    for path in sorted(folder.glob("test_*.py")):
        for value in vars(_module(path.stem, path)).values():
            for mark in getattr(value, "pytestmark", ()):
                found[mark.args[0]] = value
    return found


def _module(name: str, path: Any) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"checks_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
