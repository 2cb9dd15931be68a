"""Applies mplskit's payload: pyinfra -y inventory.py deploy.py

What was done on a node is in reports/NAME.tsv afterwards: STATE, KIND, NAME and DETAIL of each item, then `ended` and
the exit status. What was said besides is in reports/NAME.log, which is written last.
"""

import contextlib
import shlex
import sys
from pathlib import Path

from pyinfra import host
from pyinfra.api.exceptions import OperationError
from pyinfra.operations import python

HERE = Path(__file__).resolve().parent
# A folder of the login's own, on disk; what runs that were cut left there goes.
PLACE = (
    'find /var/tmp -maxdepth 1 -name "mplskit-*" -user "$(id -u)" -mmin +120 -exec rm -rf {} + ; '
    "mktemp -d /var/tmp/mplskit-XXXXXXXXXX"
)
KEEPALIVE = 15  # seconds
PATIENCE = 7200  # seconds, for a command


def apply() -> None:
    """Bring the payload of this host, apply it as root, and keep what it says."""
    keep("tsv", "")
    connection = getattr(host.connector, "client", None)
    if connection is not None:
        connection.get_transport().set_keepalive(KEEPALIVE)
    said, log = carried()
    keep("tsv", said)
    keep("log", log)
    for line in said.split("\n"):
        if line.startswith(("changed\t", "failed\t", "waits\t", "note\t")):
            host.log(line.replace("\t", "  "))
    if not said.endswith("ended\t0"):
        last = (log.strip() or said).splitlines()[-1:]
        raise OperationError(f"the payload failed: {''.join(last)}")
    if waits := [line.split("\t")[2] for line in said.split("\n") if line.startswith("waits\t")]:
        raise OperationError(f"not ready: waits for {', '.join(waits[:5])}{', …' if waits[5:] else ''}")


def carried() -> tuple[str, str]:
    """What the payload says on stdout, `ended` and its exit status below, and what it says on stderr."""
    files, lacking = [f"payloads/{host.name}.tar"], []
    if packages := host.data.get("mplskit_packages"):
        sys.path[:0] = [str(HERE)]
        from needed import needed

        said, log = shell(host.data.mplskit_offer, root=True)
        missing, lacking = needed(packages, said)
        files = files if host.data.mplskit_mode == "plan" else [*missing, *files]
        if lacking and host.data.mplskit_mode != "plan":
            return "\n".join([*lacking, "ended\t1"]), log
    said, log = shell(PLACE)
    # What a login says by itself comes before.
    place = "".join(said.strip().splitlines()[-1:])
    if not place:
        return "", log
    try:
        there = [f"{place}/{number}" for number in range(len(files))]
        for file, target in zip(files, there, strict=True):
            if not host.put_file(str(HERE / file), target):
                return "", f"{file} could not be brought"
        command = f"cat {shlex.join(there)} | sh -c {shlex.quote(host.data.mplskit_script)}"
        said, log = shell(f"{command}\nprintf 'ended\\t%s\\n' $?", root=True)
    finally:
        # A session that was cut takes nothing any more, and what came of it is worth more.
        with contextlib.suppress(Exception):
            shell(f"rm -rf {shlex.quote(place)}")
    if lacking:
        said = "\n".join([*lacking, *said.split("\n")[:-1], "ended\t1"])
    return said, log


def shell(command: str, *, root: bool = False) -> tuple[str, str]:
    """What a command of sh says on stdout and on stderr, run by the login or by root."""
    how = {name: True for name in ("_sudo", "_doas") if root and host.data.get(name)}
    try:
        _, output = host.run_shell_command(f"sh -c {shlex.quote(command)}", _timeout=PATIENCE, **how)
    except EOFError:
        return "", "sudo: a password is required, and there is no terminal to ask on"
    return output.stdout, output.stderr


def keep(kind: str, text: str) -> None:
    """Write a report of this host, whole at once."""
    reports = HERE / "reports"
    reports.mkdir(exist_ok=True)
    partial = reports / f".{host.name}.{kind}"
    partial.write_text(f"{text}\n" if text else "")
    partial.replace(reports / f"{host.name}.{kind}")


python.call(name="mplskit's payload", function=apply)
