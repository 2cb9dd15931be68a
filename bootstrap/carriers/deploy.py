"""Applies mplskit's payload: pyinfra -y inventory.py deploy.py

What was done on a node is in reports/NAME.tsv afterwards: STATE, KIND, NAME and DETAIL of each item, and how it ended.
"""

import shlex
from pathlib import Path

from pyinfra import host
from pyinfra.api.exceptions import OperationError
from pyinfra.operations import python

HERE = Path(__file__).resolve().parent


def apply() -> None:
    """Bring the payload of this host, apply it as root, and keep what it says."""
    root = {name: True for name in ("_sudo", "_doas") if host.data.get(name)}
    made, output = host.run_shell_command("mktemp /var/tmp/mplskit-XXXXXXXXXX")
    if not made:
        raise OperationError(f"no room for the payload: {output.output}")
    payload = output.stdout.strip()
    try:
        if not host.put_file(str(HERE / "payloads" / f"{host.name}.tar"), payload):
            raise OperationError("the payload could not be brought")
        command = f"exec <{shlex.quote(payload)}\n{host.data.mplskit_script}"
        done, output = host.run_shell_command(f"sh -c {shlex.quote(command)}", **root)
    finally:
        host.run_shell_command(f"rm -f {shlex.quote(payload)}")
    reports = HERE / "reports"
    reports.mkdir(exist_ok=True)
    ended = "ended" if done else "failed"
    (reports / f"{host.name}.tsv").write_text(f"{output.stdout}\n{ended}\n")
    (reports / f"{host.name}.log").write_text(f"{output.stderr}\n")
    for line in output.stdout.splitlines():
        host.log(line.replace("\t", "  "))
    if not done:
        raise OperationError(f"the payload failed: {output.stderr_lines[-1:] or output.stdout_lines[-1:]}")


python.call(name="mplskit's payload", function=apply)
