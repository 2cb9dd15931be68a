"""Which image is booted, and what a user needs to reach it."""

from pathlib import Path

from mplskit.debian.suites import FOR_IMAGES
from mplskit.errors import WrongInput
from mplskit.image.image_record import Image, load_image
from mplskit.paths import Workspace
from mplskit.process import quote
from mplskit.vm.machine import Guest, Machine


def chosen_image(workspace: Workspace, text: str) -> Image:
    """The image of that name in `dist/`, or of that record; without a text the newest `mplskit-SUITE`."""
    if text.endswith(".json"):
        return load_image(Path(text))
    if text:
        return load_image(workspace.dist / f"{text}.json")
    records = [workspace.dist / f"mplskit-{suite}.json" for suite in FOR_IMAGES]
    there = [record for record in records if record.exists()]
    if not there:
        raise WrongInput(f"no image was built here: no {records[0]}", hint="invoke image.build; or give --image")
    return load_image(max(there, key=lambda record: record.stat().st_mtime))


def guest_of(image: Image, memory: int, cpus: int, append: str = "", persist: bool = False) -> Guest:
    """The guest that boots an image; memory in MiB."""
    return Guest(
        disk=image.qcow2,
        kernel=image.kernel,
        key=image.key,
        initrd=image.initrd,
        memory=memory,
        cpus=cpus,
        append=append,
        persist=persist,
    )


def ways_in(machine: Machine) -> dict[str, object]:
    """How a running machine is reached."""
    return {
        "ssh": quote(["ssh", "-F", str(machine.host.ssh_config), machine.host.name]),
        "port": machine.port,
        "console": str(machine.console),
        "accelerator": machine.accelerator,
    }
