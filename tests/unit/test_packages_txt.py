import re
import shlex
import subprocess
from pathlib import Path

import pytest

from mplskit.debian.installed import installed_of
from mplskit.debian.suites import release
from mplskit.doctor.findings import TASKS
from mplskit.doctor.packages_txt import Need, parse
from mplskit.paths import data

ROOT = Path(__file__).parents[2]
ALL_TASKS = (
    *TASKS, "kernel.list", "kernel.fetch", "kernel.options", "kernel.config", "kernel.audit", "iproute2.verify",
    "image.test", "node.plan", "node.verify", "node.doctor", "node.remove", "node.render", "lab.list", "lab.up",
    "lab.shell", "lab.down", "repo.publish", "ci.render", "test.full", "doctor", "nonsense", "kernel", "testing",
)  # fmt: skip


def test_a_line_names_tasks_and_packages() -> None:
    text = "# a comment\n\n  kernel.*|ci.*@trixie : make  gcc \n*: util-linux\n"
    assert parse(text) == (Need(("kernel.*", "ci.*@trixie "), ("make", "gcc")), Need(("*",), ("util-linux",)))


@pytest.mark.parametrize(
    ("patterns", "task", "applies"),
    [
        ("kernel.*", "kernel.build", True),
        ("kernel.*", "kernel", False),
        ("kernel.*", "node.kernel.x", False),
        ("test|test.*", "test", True),
        ("test|test.*", "test.e2e", True),
        ("test|test.*", "testing", False),
        ("*", "anything", True),
        ("iproute2.build@trixie", "iproute2.build", True),
        ("iproute2.build@bookworm", "iproute2.build", False),
        ("ci.*@trixie", "ci.pipeline", True),
        ("ci.*@bookworm", "ci.pipeline", False),
    ],
)
def test_patterns_are_those_of_the_shell_and_may_name_a_release(patterns: str, task: str, applies: bool) -> None:
    assert Need(tuple(patterns.split("|")), ()).applies(task, "trixie") is applies


def shell(call: str, code_name: str = "bookworm") -> list[str]:
    """What a function of `run` prints."""
    functions = (
        (ROOT / "run")
        .read_text()
        .partition("\ncommand -v apt-get")[0]
        .replace('"$(dirname -- "$0")"', shlex.quote(str(ROOT)))
    )
    done = subprocess.run(
        ["sh", "-c", f"{functions}\nrelease={code_name}\n{call}"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize("code_name", ["bookworm", "trixie"])
@pytest.mark.parametrize("task", ALL_TASKS)
def test_the_shell_and_python_read_the_same_packages_for_each_task(task: str, code_name: str) -> None:
    lines = parse((ROOT / "packages.txt").read_text())
    ours = {name for line in lines if line.applies(task, code_name) for name in line.packages}
    assert set(shell(f"needed_packages {task}", code_name)) == ours


def test_the_shell_joins_the_packages_of_several_tasks() -> None:
    both = set(shell("needed_packages lab.run image.build"))
    assert both == set(shell("needed_packages lab.run")) | set(shell("needed_packages image.build"))


def test_the_shell_names_what_is_missing_and_nothing_that_is_there() -> None:
    assert shell(
        "needed_packages() { echo dpkg no-such-package-a libc6; echo no-such-package-b; }; missing_packages x"
    ) == [
        "no-such-package-a",
        "no-such-package-b",
    ]


def test_a_task_that_no_line_knows_needs_what_every_task_needs() -> None:
    assert set(shell("needed_packages nonsense")) == {"python3-venv", "ca-certificates", "util-linux"}


def test_every_line_of_the_real_file_is_well_formed() -> None:
    for need in parse(data("packages.txt").read_text()):
        assert need.packages
        for pattern in need.patterns:
            assert re.fullmatch(r"[a-z0-9.*]+(@[a-z]+)?", pattern), pattern
        for package in need.packages:
            assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package), package


def test_dpkg_is_asked_what_is_installed() -> None:
    assert installed_of(["dpkg", "no-such-package-a"]) == {"dpkg"}


@pytest.mark.parametrize(
    ("text", "name"),
    [("ID=debian\nVERSION_CODENAME=bookworm\n", "bookworm"), ('VERSION_CODENAME="trixie"\n', "trixie"), ("ID=x\n", "")],
)
def test_the_code_name_of_a_release_is_read(tmp_path: Path, text: str, name: str) -> None:
    (tmp_path / "os-release").write_text(text)
    assert release(tmp_path / "os-release") == name
