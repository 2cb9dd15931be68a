"""This machine as the ground of a lab, where its own kernel can do MPLS."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mplskit import process
from mplskit.errors import MachineLacks, OutsideFailed
from mplskit.remote.host import Host
from mplskit.remote.session import Answer
from mplskit.wording import clean

MODULES = ("mpls_router", "mpls_iptunnel", "mpls_gso")


class ThisMachine:
    """Runs commands on this machine."""

    host = Host("localhost")

    def run(self, argv: Sequence[str], *, check: bool = True, timeout: float = 60, stdin: bytes = b"") -> Answer:
        """Run a command with the given stdin. Raises OutsideFailed when it takes longer than `timeout` seconds, and,
        with `check`, when it exits other than 0.
        """
        with process.started(argv, stdin=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
            try:
                output, _ = running.communicate(stdin, timeout=timeout)
            except subprocess.TimeoutExpired:
                raise OutsideFailed(f"no end after {timeout:g} s: {process.quote(argv)}") from None
        answer = Answer(tuple(argv), running.returncode, clean(output.decode(errors="replace")))
        if check and answer.returncode != 0:
            raise OutsideFailed(f"exit {answer.returncode}: {process.quote(argv)}", detail=answer.output)
        return answer

    def read(self, path: str) -> bytes:
        """A file of this machine."""
        return Path(path).read_bytes()


@contextmanager
def this_machine() -> Iterator[ThisMachine]:
    """This machine, its MPLS modules loaded. Raises MachineLacks without root, and when its kernel cannot do MPLS."""
    process.require_root("a lab on this machine")
    if not Path("/proc/sys/net/mpls").exists():
        said = process.run(["modprobe", "-a", *MODULES], check=False).stderr
        if not Path("/proc/sys/net/mpls").exists():
            raise MachineLacks(
                "this machine's kernel does no MPLS",
                detail=said.strip(),
                hint="without --kernel here a lab is played in a virtual machine; kernel.audit says what is missing",
            )
    process.require("ip", package="iproute2")
    process.require("tcpdump", package="tcpdump")
    process.require("ping", package="iputils-ping")
    yield ThisMachine()
