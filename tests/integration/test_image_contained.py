"""The namespaces that an image is built in: they end with us, however we end, and are tried before they are used."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mplskit.debian.system_tree import CONTAINED, contained
from tests.command_line import ROOT, awaited, living

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or subprocess.run([*CONTAINED, "true"], capture_output=True, check=False).returncode != 0,
    reason="mount and PID namespaces need root",
)


def program(*argv: str, log: Path) -> list[str]:
    """A process of its own that runs a command contained; a failure is told as its kind and words."""
    text = (
        "import sys\nfrom pathlib import Path\nfrom mplskit.errors import Failure\n"
        "from mplskit.debian.system_tree import contained\n"
        "try:\n    contained(sys.argv[2:], Path(sys.argv[1]))\n"
        "except Failure as error:\n    print(int(error.code), error)\n"
    )
    return [sys.executable, "-c", text, str(log), *argv]


def test_nothing_of_it_outlives_us_though_we_are_killed(tmp_path: Path) -> None:
    # Deaf to SIGTERM, and one more that has left the process group.
    script = "trap '' TERM; setsid sleep 1000.125 & sleep 1000.125 & wait"
    with subprocess.Popen(program("sh", "-c", script, log=tmp_path / "log"), cwd=ROOT) as parent:
        try:
            assert awaited(lambda: len(sleeping()) == 2)
        finally:
            parent.send_signal(signal.SIGKILL)
    assert awaited(lambda: sleeping() == [])


def sleeping() -> list[str]:
    return [line for line in living("sleep 1000.125") if line.startswith("sleep")]


def test_its_mounts_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    contained(["mount", "-t", "tmpfs", "none", tmp_path / "place"], tmp_path / "log")
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()


def test_a_machine_that_refuses_the_namespaces_lacks_them_and_no_build_has_failed(tmp_path: Path) -> None:
    powerless = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]
    argv = [*powerless, *program("touch", str(tmp_path / "run"), log=tmp_path / "log")]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told == (
        "3 error: this machine lets no process have mounts of its own, and an image is built with such\n"
        "  | unshare: unshare failed: Operation not permitted\n"
        "hint: a container needs CAP_SYS_ADMIN and a writable /proc for it (docker run --privileged); "
        "or build on a machine of your own\n"
    )
    assert not (tmp_path / "run").exists()
