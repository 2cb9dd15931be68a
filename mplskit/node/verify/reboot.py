"""Reboots a node, and waits until it is back: told apart from before by the kernel's boot id."""

import re
import time

from mplskit import process, progress
from mplskit.errors import OutsideFailed
from mplskit.patience import attempts
from mplskit.remote.host import Host
from mplskit.remote.refusals import Unreachable
from mplskit.remote.session import once, shell

PATIENCE = 300
# One question of ours, ssh's ConnectTimeout included.
ANSWER = 20.0
PAUSES = (1.0, 1.0, 2.0, 3.0, 5.0)

BOOT_ID = "/proc/sys/kernel/random/boot_id"
SETTLED = "systemctl is-system-running --wait"


def reboot(host: Host, patience: float = PATIENCE) -> float:
    """Reboot `host`, and wait until it runs again and its services are started; the seconds that it took.

    Raises OutsideFailed when it is not back within `patience` seconds, or does not reboot at all; MachineLacks when
    root cannot be reached there.
    """
    with progress.step(f"rebooting {host}"):
        begin = time.monotonic()
        with shell(host) as session:
            before = session.read(BOOT_ID).decode(errors="replace").strip()
            try:
                asked = session.run(["sh", "-c", "systemctl reboot || reboot"], check=False)
            except Unreachable:  # it was faster than its answer
                asked = None
        if asked is not None and asked.returncode != 0:
            raise OutsideFailed(f"{host} refuses to reboot", detail=asked.output.strip())
        # A connection that the user held open for us has no other end any more.
        process.run([*host.ssh("-O", "exit")], check=False, timeout=ANSWER, failure=OutsideFailed)
        _await_new_boot(host, before, begin, patience)
        left = max(5.0, begin + patience - time.monotonic())
        once(host, f"timeout {left:.0f} {SETTLED}", timeout=left + ANSWER, check=False)
        return time.monotonic() - begin


def _await_new_boot(host: Host, before: str, begin: float, patience: float) -> None:
    found = said = ""
    for _ in attempts(begin + patience - time.monotonic(), *PAUSES):
        found, said = _boot_id(host)
        if found not in ("", before):
            return
    waited = f"{time.monotonic() - begin:.0f} s after the reboot was asked for"
    if found:
        raise OutsideFailed(f"{host} runs on without having rebooted, {waited}", hint="look at its console or journal")
    raise OutsideFailed(
        f"{host} is not back {waited}",
        detail=said,
        hint="look at its console; if it is only slow, give --timeout more seconds, or run node.verify later",
    )


def _boot_id(host: Host) -> tuple[str, str]:
    """The boot id of a node that answers, and what ssh said; nothing while it does not."""
    try:
        ended = once(host, f"cat {BOOT_ID}", "-o", "ControlPath=none", timeout=ANSWER)
    except OutsideFailed as failed:
        return "", failed.detail or failed.message
    found = re.findall(r"^[0-9a-f-]{36}$", ended.stdout, re.MULTILINE)
    return found[-1] if found else "", ended.stderr.strip()
