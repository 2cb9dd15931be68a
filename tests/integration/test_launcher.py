"""`./run` in a checkout of its own, below a folder with a space in its name: what it installs, when, and that a second
call does nothing more.

Stand-ins, named as such: `apt-get`, `dpkg-query` and `sudo` on the PATH, and a tiny package `invoke` that prints its
arguments, so that neither this machine's packages nor a package index are touched.
"""

import hashlib
import os
import re
import resource
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from invoke.program import Program

from tasks import namespace

ROOT = Path(__file__).parents[2]
DPKG_QUERY = 'for word; do grep -qx -e "$word" "$HAVE" && echo "installed $word"; done; true\n'
SUDO = 'exec "$@"\n'
APT_GET = 'echo "apt-get $*" >>"$APT_LOG"; [ -z "${APT_FAILS:-}" ]\n'


@dataclass(frozen=True)
class Checkout:
    """A copy of the launcher with its lists; `have` names the packages that dpkg-query (stand-in) finds installed."""

    folder: Path

    def __call__(self, *words: str, network: bool = True, **env: str) -> "subprocess.CompletedProcess[str]":
        stand_ins = {
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "HAVE": str(self.folder / "have"),
            "APT_LOG": str(self.folder / "apt.log"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"file://{(self.folder / 'index').resolve()}",
            "CI": "1",
        }
        without = [] if network else ["unshare", "--map-root-user", "--net"]
        return subprocess.run(
            [*without, self.folder / "run", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env={**os.environ, **stand_ins, **env},
        )

    def apt(self) -> list[str]:
        """What apt-get (stand-in) was asked."""
        log = self.folder / "apt.log"
        return log.read_text().splitlines() if log.exists() else []


def pack_invoke(folder: Path) -> Path:
    """A wheel of the stand-in for Invoke."""
    wheel = folder / "invoke-1.0-py3-none-any.whl"
    files = {
        "invoke/__init__.py": "",
        "invoke/__main__.py": "import sys\nprint(*sys.argv[1:])\n",
        "invoke-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: invoke\nVersion: 1.0\n",
        "invoke-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "invoke-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def lay_out(folder: Path) -> Checkout:
    """A checkout that `run` was never called in."""
    (folder / "bin").mkdir()
    for name, script in (("dpkg-query", DPKG_QUERY), ("apt-get", APT_GET), ("sudo", SUDO)):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{script}")
        (folder / "bin" / name).chmod(0o755)
    (folder / "index").mkdir()
    digest = hashlib.sha256(pack_invoke(folder / "index").read_bytes()).hexdigest()
    shutil.copy(ROOT / "run", folder)
    (folder / "packages.txt").write_text(
        "# TASK: packages\n*: sh-like\nkernel.*|ci.*: make gcc\nkernel.build: debhelper\nlab.*: qemu\n"
    )
    (folder / "requirements.lock").write_text(f"invoke==1.0 --hash=sha256:{digest}\n")
    (folder / "have").write_text("sh-like\n")
    return Checkout(folder)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, "subprocess.CompletedProcess[str]"]:
    """A checkout after its first call, and what that said."""
    checkout = lay_out(tmp_path_factory.mktemp("first"))
    return checkout, checkout("doctor", "--json", "a b")


@pytest.fixture
def checkout(first: tuple[Checkout, object], tmp_path: Path) -> Checkout:
    """A copy of a checkout in which `run` was called once."""
    shutil.copytree(first[0].folder, tmp_path / "a b", symlinks=True)
    (tmp_path / "a b" / "index").rename(tmp_path / "index")
    (tmp_path / "a b" / "index").symlink_to(tmp_path / "index")
    return Checkout(tmp_path / "a b")


def call(checkout: Checkout, *words: str) -> str:
    """The arguments that Invoke (stand-in) was given."""
    done = checkout(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.removeprefix(f"--search-root {checkout.folder}").strip()


def test_the_first_call_makes_the_environment_and_hands_the_words_on(
    first: tuple[Checkout, "subprocess.CompletedProcess[str]"],
) -> None:
    checkout, done = first
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"--search-root {checkout.folder} doctor --json a b\n"
    assert done.stderr == "run: making the Python environment .venv from requirements.lock\n"
    assert checkout.apt() == []


def test_the_second_call_installs_nothing_and_needs_no_network(checkout: Checkout) -> None:
    (checkout.folder / "index").unlink()
    done = checkout("doctor", network=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"--search-root {checkout.folder} doctor\n"


def test_the_second_call_costs_little_of_its_own(checkout: Checkout) -> None:
    (checkout.folder / "have").write_text("sh-like\nmake\ngcc\ndebhelper\n")

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        call(checkout, "kernel.build")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.3


def test_an_environment_whose_making_was_interrupted_is_made_anew(checkout: Checkout) -> None:
    (checkout.folder / ".venv" / "requirements.lock").unlink()
    (checkout.folder / ".venv" / "half-done").touch()
    assert "making the Python environment" in checkout("doctor").stderr
    assert not (checkout.folder / ".venv" / "half-done").exists()
    assert checkout("doctor").stderr == ""


def test_another_lock_file_makes_the_environment_anew(checkout: Checkout) -> None:
    lock = checkout.folder / "requirements.lock"
    lock.write_text(lock.read_text() + "# another\n")
    assert "making the Python environment" in checkout("doctor").stderr


def test_a_package_index_that_fails_is_told_and_the_environment_is_not_trusted(checkout: Checkout) -> None:
    lock = checkout.folder / "requirements.lock"
    lock.write_text(lock.read_text() + "# another\n")
    (checkout.folder / "index").rename(checkout.folder / "away")
    failed = checkout("doctor")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "run: error: pip could not install requirements.lock\nrun: hint: look at its messages above" in failed.stderr
    (checkout.folder / "away").rename(checkout.folder / "index")
    assert call(checkout, "doctor") == "doctor"


def test_a_package_of_python_that_is_not_the_one_in_the_lock_is_refused(checkout: Checkout) -> None:
    lock = checkout.folder / "requirements.lock"
    lock.write_text(f"invoke==1.0 --hash=sha256:{'0' * 64}\n")
    assert checkout("doctor").returncode == 3


def test_a_checkout_where_python_makes_no_environment_is_told_before_anything_is_made(tmp_path: Path) -> None:
    for name in ("plain", "a:b"):
        (tmp_path / name).mkdir()
        checkout = lay_out(tmp_path / name)
    # A colon cannot stand in PATH, where the stand-ins are found.
    refused = checkout("doctor", PATH=f"{tmp_path}/plain/bin:{os.environ['PATH']}")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        f"run: error: Python makes no environment in {tmp_path}/a:b: the path holds a colon\n"
        "run: hint: move this checkout to another folder\n"
    )


def test_only_what_the_task_lacks_is_installed_and_it_is_said_before(checkout: Checkout) -> None:
    (checkout.folder / "have").write_text("sh-like\ngcc\n")
    done = checkout("kernel.build", "--set", "MPLS=y")
    assert done.returncode == 0, done.stderr
    assert "run: this machine lacks Debian packages that the task needs (packages.txt): debhelper make" in done.stderr
    assert checkout.apt() == [
        "apt-get -qq update",
        "apt-get -qq install -y --no-install-recommends debhelper make",
    ]


def test_the_packages_of_several_tasks_are_installed_together(checkout: Checkout) -> None:
    call(checkout, "kernel.config", "lab.run", "hello-world")
    assert checkout.apt()[-1] == "apt-get -qq install -y --no-install-recommends gcc make qemu"


BUILDS = """\
kernel.build
--debug kernel.build
-e -d kernel.build
-dD2 kernel.build
-D 2 kernel.build
-T 5 kernel.build
-T5 kernel.build
-c tasks kernel.build
--collection X kernel.build
--collection=lab.run kernel.build
--no-dedupe --pty kernel.build
--echo --dry kernel.build --insecure-source
-dr lab.run kernel.build
kernel.build --name lab.run --json
kernel.build -- lab.run
"""
NEEDS_NOTHING = """\
doctor --name kernel.build
-h kernel.build
-dl kernel.build
--list=kernel.build
kernel.build --help
"""


def test_a_task_is_found_whatever_flags_stand_before_and_behind_it(checkout: Checkout) -> None:
    log = checkout.folder / "apt.log"
    for words in BUILDS.splitlines():
        log.unlink(missing_ok=True)
        call(checkout, *words.split())
        assert [words, *checkout.apt()[1:]] == [
            words,
            "apt-get -qq install -y --no-install-recommends debhelper gcc make",
        ]
    log.unlink()
    for words in NEEDS_NOTHING.splitlines():
        call(checkout, *words.split())
        assert [words, *checkout.apt()] == [words]


def test_the_launcher_knows_which_flags_take_no_value() -> None:
    core = [*Program().core_args(), *Program().task_args()]
    names = {f"--{name}" for argument in core if not argument.takes_value for name in argument.names[:1]}
    for context in namespace.to_contexts():
        names |= {flag for flag, argument in context.flags.items() if not argument.takes_value}
        names |= set(context.inverse_flags)
    script = (ROOT / "run").read_text()
    alone = " ".join(re.findall(r"^alone=['\"](?:\$alone)?(.*)['\"]$", script, re.MULTILINE)).split()
    # For these alone everything ends: who asks for help needs no packages.
    assert sorted([*alone, "--version"]) == sorted(names)
    short = {argument.names[1] for argument in core if not argument.takes_value and len(argument.names) > 1}
    assert re.findall(r"%%\[!(\w+)\]", script) == ["".join(sorted(short - {"V"}))]


def test_an_apt_that_fails_is_told(checkout: Checkout) -> None:
    failed = checkout("lab.run", APT_FAILS="1")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "run: error: apt-get update failed\nrun: hint: " in failed.stderr


def test_the_launcher_is_posix_shell_that_shellcheck_finds_no_fault_with() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed (./run test installs it)")
    done = subprocess.run(["shellcheck", ROOT / "run"], capture_output=True, text=True, check=False)
    assert done.stdout == ""
