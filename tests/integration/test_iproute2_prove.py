"""The proof that a packaged `ip` speaks MPLS, on this machine's own iproute2 and on ones that do not pass."""

import os
import subprocess
from pathlib import Path

import pytest

from mplskit import process
from mplskit.errors import NotSo
from mplskit.iproute2.prove import prove
from tests.command_line import CommandLine
from tests.worlds.package_file import make_deb


def namespaces() -> bool:
    argv = ["unshare", "--net", "true"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net", "true"]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not namespaces(), reason="network namespaces cannot be made here")


def package(folder: Path, ip: Path) -> Path:
    """A package whose /bin/ip is the given file."""
    return make_deb(folder, "iproute2", {"bin/ip": ip}, file="iproute2.deb")


def script(folder: Path, text: str) -> Path:
    (folder / "ip").write_text(f"#!/bin/sh\n{text}")
    (folder / "ip").chmod(0o755)
    return folder / "ip"


def test_debians_own_ip_is_proven_to_speak_mpls(tmp_path: Path) -> None:
    found = process.find("ip")
    if found is None:
        pytest.skip("iproute2 is not installed (./run test installs it)")
    done = CommandLine(tmp_path)("iproute2.verify", "--package", package(tmp_path, Path(found).resolve()))
    assert done.returncode == 0, done.stderr
    for proven in ("knows the family mpls", "parses encap mpls", "control: refuses an unknown encapsulation"):
        assert proven in done.stdout


@pytest.mark.parametrize(
    ("text", "named"),
    [
        # What busybox answers: it knows no family mpls, and is no iproute2.
        ("echo \"ip: invalid argument 'mpls' to 'family'\" >&2; exit 1\n", "parses encap mpls"),
        # One that says yes to everything proves nothing.
        ("exit 0\n", "control: refuses an unknown family"),
    ],
    ids=["busybox", "yes to all"],
)
def test_an_ip_that_does_not_speak_mpls_or_refuses_nothing_is_not_proven(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(NotSo) as failed:
        prove(package(tmp_path, script(tmp_path, text)))
    assert failed.value.message == "the ip in iproute2.deb does not speak MPLS"
    assert f"\n{named}: ip " in failed.value.detail


def test_an_ip_that_cannot_show_the_kernels_explanations_is_not_proven(tmp_path: Path) -> None:
    answers = 'case "$*" in -V) echo "ip utility, iproute2-6.1.0" ;; *nosuch*) exit 255 ;; *) exit 2 ;; esac\n'
    with pytest.raises(NotSo) as failed:
        prove(package(tmp_path, script(tmp_path, answers)))
    assert failed.value.detail == "shows the kernel's explanations: ldd ip: not linked with libmnl"


# Root without the capability: what a container's root is.
POWERLESS = (
    *(() if os.geteuid() == 0 else ("unshare", "--map-root-user")),
    *("setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"),
)


def test_a_machine_that_refuses_the_namespace_is_not_taken_for_an_ip_without_mpls(tmp_path: Path) -> None:
    proven = package(tmp_path, script(tmp_path, "echo ip utility, iproute2-6.1.0\n"))
    done = CommandLine(tmp_path, prefix=POWERLESS)("iproute2.verify", "--package", proven)
    assert done.returncode == 3
    assert done.stderr.endswith(
        "error: this machine refuses a network namespace, and the packaged ip is proven in one\n"
        "  | unshare: unshare failed: Operation not permitted\n"
        "hint: a container needs CAP_SYS_ADMIN for it (docker run --cap-add SYS_ADMIN)\n"
    )
