"""`test`, `test.e2e`, `test.full`: the three tiers."""

import os
import sys
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context

from mplskit import cli

ROOT = Path(__file__).parent.parent
SHELLS = (b"#!/bin/sh", b"#!/usr/bin/env sh", b"#!/bin/busybox sh")
FILTER = {"k": "only tests that match this pytest expression"}


def _demand(what: str, argv: list[str]) -> None:
    from mplskit import process
    from mplskit.errors import NotSo

    print(f"\n== {what}", flush=True)
    if process.show(argv, cwd=ROOT) != 0:
        raise NotSo(f"{what} failed", hint=f"cd {ROOT} && {process.quote(argv)}")


def _pytest(what: str, *words: str) -> None:
    from mplskit.task_folders import MADE, demand, temporary

    # The tests build below it, and some of what they write for other programs is not quoted.
    demand(temporary(), MADE, "test", "TMPDIR=FOLDER names another")
    _demand(what, [sys.executable, "-m", "pytest", *words])


def _side_by_side(more: int = 0) -> list[str]:
    """Files of tests run in a process for each processor and `more`, each file in one of them, in their order."""
    processes = len(os.sched_getaffinity(0)) + more
    return ["--numprocesses", str(processes), "--dist", "loadfile", "--no-loadscope-reorder"]


def _static() -> None:
    from mplskit import process

    scripts = [
        path for path in process.run(["git", "ls-files"], cwd=ROOT).stdout.splitlines() if _is_shell(ROOT / path)
    ]
    python = [sys.executable, "-m"]
    _demand("ruff", [*python, "ruff", "check"])
    _demand("ruff format", [*python, "ruff", "format", "--check"])
    _demand("mypy", [*python, "mypy"])
    _demand("import contracts", [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"])
    _demand("shellcheck", ["shellcheck", *scripts])


def _is_shell(path: Path) -> bool:
    if not path.is_file() or path.suffix == ".j2":
        return False
    with path.open("rb") as file:
        return file.readline().strip() in SHELLS


def _only(expression: str) -> list[str]:
    return ["-k", expression] if expression else []


@cli.task(help=FILTER)
def quick(c: Context, k: str = "") -> None:
    """Linters, types, unit and integration tests: under 10 minutes."""
    if not k:
        _static()
    # Those that take longest come first, so that no process waits for another at the end. A tenth of the time they wait
    # themselves, for what takes its time: one process more than there are processors keeps all of these busy.
    words = ("tests/integration", "tests/unit", "-m", "not full", *_only(k))
    _pytest("unit and integration tests", *words, *_side_by_side(more=1))


@cli.task(help=FILTER)
def e2e(c: Context, k: str = "") -> None:
    """The main job and the most telling VM tests; the kernel is built once: under 35 minutes."""
    from mplskit import process

    process.require_root("test.e2e")
    _pytest("end-to-end tests", "tests/e2e", "-m", "not full", *_only(k), *_side_by_side())


@cli.task(help=FILTER)
def full(c: Context, k: str = "") -> None:
    """Everything, as long as it takes."""
    from mplskit import process

    process.require_root("test.full")
    if not k:
        _static()
    _pytest("all tests", "tests", *_only(k))


collection = Collection("test", e2e, full)
collection.add_task(quick, name="quick", default=True)
