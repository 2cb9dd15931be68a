"""Where labs are played: which machine, and a way to run commands on it."""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from mplskit.debian.package_file import Role
from mplskit.debian.package_records import recorded
from mplskit.errors import WrongInput
from mplskit.image.boot import chosen_image, guest_of
from mplskit.lab.flags import PlaceFlags
from mplskit.lab.grammar.topology import Topology
from mplskit.lab.machine.appliance import appliance
from mplskit.lab.machine.lab_guest import lab_guest
from mplskit.lab.machine.lab_kernel import kernel_of_labs, lab_kernel
from mplskit.lab.stage.ground import MachineShell
from mplskit.lab.stage.machines import machines
from mplskit.lab.stage.namespaces import Namespaces
from mplskit.lab.stage.stage import Stage
from mplskit.lab.this_machine import this_machine
from mplskit.paths import Workspace
from mplskit.remote.flags import SessionFlags
from mplskit.remote.host import Host
from mplskit.remote.reach import session_host
from mplskit.remote.session import shell
from mplskit.vm.guest import Guest
from mplskit.vm.machine import booted
from mplskit.wording import joined

HERE = "here"


@dataclass(frozen=True)
class Place:
    """What the user says of it; at most one of `kernel`, `image` and `host`."""

    kernel: str = ""
    image: str = ""
    host: Host | None = None


def place_of(flags: PlaceFlags, session: SessionFlags) -> Place:
    """The place that the command line names. Raises WrongInput when that is more than one, or is not reached so."""
    given = [f"--{name}" for name, value in vars(flags).items() if value]
    if len(given) > 1:
        raise WrongInput(f"{joined(given)}: one machine only", hint="--host is for one that runs already")
    return Place(flags.kernel, flags.image, session_host(flags.host, session))


def place_as_json(place: Place) -> bytes:
    """A place for `place_of_json`, in another process: the password of its host with it."""
    return json.dumps(asdict(place), default=str).encode()


def place_of_json(text: str) -> Place:
    """The place that `place_as_json` has written."""
    said = json.loads(text)
    host = said["host"]
    if host and host["ssh_config"]:
        host["ssh_config"] = Path(host["ssh_config"])
    return Place(said["kernel"], said["image"], Host(**host) if host else None)


def is_here(workspace: Workspace, place: Place) -> bool:
    """Whether labs are played on this machine: when asked to, or when no kernel was built and this one does MPLS."""
    if place.kernel or place.image or place.host:
        return place.kernel == HERE
    return recorded(workspace.dist, Role.IMAGE) is None and Path("/proc/sys/net/mpls").exists()


def guest_at(workspace: Workspace, place: Place) -> Guest:
    """The guest to boot: the image that was named, or the disk of labs with the kernel that was."""
    if place.image:
        return guest_of(chosen_image(workspace, place.image), memory=1024, cpus=2)
    packages = kernel_of_labs(workspace, place.kernel)
    disk = appliance(workspace)
    return lab_guest(disk, lab_kernel(workspace, packages, disk.busybox))


def make_ready(workspace: Workspace, place: Place) -> None:
    """Fetch and make all that a machine needs before it boots. Raises what that can fail by."""
    if is_here(workspace, place):
        with this_machine():
            pass
    elif not place.host:
        guest_at(workspace, place)


@contextmanager
def ground(workspace: Workspace, place: Place, name: str = "lab") -> Iterator[MachineShell]:
    """A machine for the time of the block: this one, the host that was named, or one that is booted, as `name`."""
    if place.host:
        with shell(place.host) as session:
            yield session
    elif is_here(workspace, place):
        with this_machine() as machine:
            yield machine
    else:
        with booted(guest_at(workspace, place), workspace.build / "vm" / name) as booted_:
            with shell(booted_.host) as session:
                yield session


def stages(
    workspace: Workspace, place: Place, kind: str, topologies: Sequence[Topology], name: str = "lab"
) -> Generator[Stage, None, None]:
    """The stage of each lab, one after another: `namespaces` of one machine for all, or `vms` for each.

    Raises WrongInput where a stage of machines is given a kernel or a host.
    """
    if kind == "vms":
        if place.kernel or place.host:
            what = "kernel" if place.kernel else "host"
            raise WrongInput(
                f"--stage vms with --{what}: each node is booted from an image",
                hint="an image has its own kernel: image.build --kernel FILE --name NAME, then --image NAME",
            )
        guest = guest_of(chosen_image(workspace, place.image), memory=512, cpus=1)
        for topology in topologies:
            with machines(topology, guest, workspace.build / "vm" / f"{name}-{topology.name}") as stage:
                yield stage
        return
    with ground(workspace, place, name) as machine:
        for topology in topologies:
            yield Namespaces(topology, machine)
