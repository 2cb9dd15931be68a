"""A lab that stays up, to play with: a process in the background holds its machines until it is told to end."""

import json
import math
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from mplskit import process, progress
from mplskit.errors import BuildFailed, Failure, MachineLacks, NotSo, OutsideFailed, WrongInput
from mplskit.files import locked, read_record, write_atomically
from mplskit.lab.evidence import Undone
from mplskit.lab.grammar.labs import load
from mplskit.lab.grammar.topology import Topology, nodes_at
from mplskit.lab.machine_choice import Place, place_as_json, place_of_json, stages
from mplskit.lab.stage.ground import MachineShell
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.lab.this_machine import ThisMachine
from mplskit.paths import Workspace
from mplskit.patience import attempts
from mplskit.wording import no_such

STATE, LOCK, LOG = "up.json", ".lock", "log"
PAUSE = 0.2
# $0 is sudo or doas, and the rest the command for root.
AS_ROOT = '[ "$(id -u)" -eq 0 ] || exec "$0" -- "$@"; exec "$@"'
# To end a machine, and to be ended by force.
PATIENCE = 120.0
FAILURES: Mapping[int, type[Failure]] = {2: WrongInput, 3: MachineLacks, 4: OutsideFailed, 5: BuildFailed}


@dataclass(frozen=True)
class Up:
    """A lab that is up: the process that holds it, and for each node the command that leads into it."""

    lab: str
    stage: str
    pid: int
    nodes: Mapping[str, list[str]]


def folder(workspace: Workspace, lab: str) -> Path:
    """Where what is known of a lab that is up lies."""
    return workspace.build / "lab" / "up" / lab


def all_up(workspace: Workspace) -> list[Up]:
    """The labs that are up."""
    states = sorted((workspace.build / "lab" / "up").glob(f"*/{STATE}"))
    records = (read_record(state, "lab", "stage", "pid", "nodes") for state in states if _is_held(state.parent))
    return [Up(**record) for record in records if record]


def the_one(workspace: Workspace, lab: str) -> Up:
    """The lab of that name that is up; without a name the only one. Raises WrongInput when that is not to be told."""
    found = {up.lab: up for up in all_up(workspace)}
    if not found:
        raise WrongInput("no lab is up", hint="invoke lab.up LAB")
    if not lab and len(found) > 1:
        raise WrongInput(f"several labs are up: {', '.join(found)}", hint="say which one: --lab LAB")
    if lab and lab not in found:
        raise WrongInput(no_such("lab that is up", lab, list(found)))
    return found[lab] if lab else next(iter(found.values()))


def refuse_if_up(workspace: Workspace, labs: Sequence[str]) -> None:
    """Raise WrongInput when one of the labs is up: on the same machine another run would take it away."""
    for up in all_up(workspace):
        if up.lab in labs and up.stage == Namespaces.name:
            raise WrongInput(f"the lab {up.lab} is up, maybe on that machine", hint=f"invoke lab.down --lab {up.lab}")


def bring_up(workspace: Workspace, lab: str, place: Place, stage: str, step: int | None = None) -> Up:
    """Start the process that holds a lab, and return when its nodes are set up as in `step` (left out: the last; 0: as
    they are before the first).

    Raises WrongInput when it is up already, or has no such step; what the process failed by.
    """
    topology = load(lab)
    name, last = topology.name, len(topology.steps)
    if step is not None and step > last:
        raise WrongInput(f"--step {step}: {name} has the steps 1 to {last}", hint="0 is before the first")
    home = folder(workspace, name)
    if _is_held(home):
        if not (home / STATE).exists():
            raise WrongInput(f"the lab {name} is just coming up, or going down", hint="wait for that to end")
        raise WrongInput(f"the lab {name} is up already", hint=f"invoke lab.down --lab {name}")
    (home / STATE).unlink(missing_ok=True)
    log = home / LOG
    with progress.step(f"bringing {name} up", log):
        words = [lab, stage, str(last if step is None else step)]
        # Where it is played may hold a password: that is no word of a command line.
        holder = process.detached(process.module(__name__, *words), log, place_as_json(place))
        try:
            for _ in attempts(math.inf, PAUSE):
                if (home / STATE).exists():
                    break
                if holder.poll() is not None:
                    said = log.read_text(errors="replace").strip().splitlines()
                    raise FAILURES.get(holder.returncode, NotSo)(
                        f"the lab {name} did not come up", detail="\n".join(said[-process.TAIL_LINES :])
                    )
        except BaseException:
            if holder.poll() is None:
                holder.terminate()
                holder.wait(PATIENCE)
            raise
    return the_one(workspace, name)


def take_down(workspace: Workspace, up: Up) -> None:
    """Tell the process that holds a lab to end, and return when it has. Raises OutsideFailed when it does not."""
    home = folder(workspace, up.lab)
    with progress.step(f"taking {up.lab} down"):
        os.kill(up.pid, signal.SIGTERM)
        if all(_is_held(home) for _ in attempts(PATIENCE, PAUSE)):
            raise OutsideFailed(f"process {up.pid} does not end", hint=f"{home / LOG} has its words")


def entrance(up: Up, node: str, command: str = "", terminal: bool = False) -> list[str]:
    """The command that leads into a node: a shell, on our `terminal` if there is one, or what is to be run there.

    Raises WrongInput when the lab has no such node.
    """
    if node not in up.nodes:
        raise WrongInput(no_such(f"node of {up.lab}", node, list(up.nodes)))
    inside = ["sh", "-c", command] if command else ["env", f"PS1={node}# ", "bash", "--norc", "-i"]
    way = up.nodes[node]
    if way[:1] != ["ssh"]:
        return [*way, *inside]
    *ssh, last = way
    # Host.ssh begins with `ssh -T`; the later word counts.
    return [*ssh[:2], *(["-t"] if terminal else []), *ssh[2:], f"{last} {process.quote(inside)}".strip()]


def hold(topology: Topology, place: Place, kind: str, step: int) -> None:
    """Set a lab up as in a step, say so in its folder, and hold it until SIGTERM; then everything is taken away."""
    workspace = Workspace.here()
    home = folder(workspace, topology.name)
    with (
        locked(home / LOCK, wait=False),
        closing(stages(workspace, place, kind, [topology], f"lab-up-{topology.name}")) as made,
    ):
        for stage in made:
            try:
                stage.remove()
                stage.build()
                stage.apply(nodes_at(topology, step))
                ways = {node: way_in(stage.ground(node).shell, stage.inside(node)) for node in topology.nodes}
                state = asdict(Up(topology.name, stage.name, os.getpid(), ways))
                write_atomically(home / STATE, json.dumps(state))
                while True:
                    signal.pause()
            except Undone as undone:
                raise NotSo(undone.doing, detail=undone.output) from None
            finally:
                (home / STATE).unlink(missing_ok=True)
                stage.remove()


def way_in(shell: MachineShell, inside: Sequence[str]) -> list[str]:
    """The command to which what is to be run on a node is added: as words, or, by ssh, to its last word.

    Where the login is not root's, sudo or doas asks for its password itself, on the terminal.
    """
    if isinstance(shell, ThisMachine):
        return [*inside]
    become = ["sh", "-c", AS_ROOT, shell.host.become] if shell.host.become else []
    return [*shell.host.ssh(), process.quote([*become, *inside])]


def _is_held(home: Path) -> bool:
    if not (home / LOCK).exists():
        return False
    try:
        with locked(home / LOCK, wait=False):
            return False
    except MachineLacks:
        return True


def _leave(signum: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _leave)
    try:
        hold(load(sys.argv[1]), place_of_json(sys.stdin.read()), sys.argv[2], int(sys.argv[3]))
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.code)
