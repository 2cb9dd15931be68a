"""`image.build` and `image.boot`."""

from invoke.context import Context

from mplskit import cli, terminal
from mplskit.errors import Leave
from mplskit.image.flags import ImageFlags
from mplskit.whole_number import whole_number


@cli.task(help={"dry-run": "show what would be made, make nothing"})
def build(c: Context, wanted: ImageFlags, json: bool = False, dry_run: bool = False) -> None:
    """Build a bootable Debian image of a node: raw and qcow2, with the kernel beside it."""
    from dataclasses import asdict

    from mplskit.image.build import build_image, plan
    from mplskit.image.image_request import make_request
    from mplskit.paths import Workspace
    from mplskit.task_folders import workspace_for

    workspace = Workspace.here() if dry_run else workspace_for("image.build")
    request = make_request(workspace, wanted)
    if dry_run:
        terminal.show_fields(plan(request), json)
        return
    image, _ = build_image(workspace, request)
    terminal.show(
        asdict(image), json, lambda: print("\n".join(str(path) for path in (*image.artefacts.values(), image.key)))
    )


@cli.task(
    help={
        "image": "an image's name in dist/, or its record FILE.json (left out: the newest of mplskit-SUITE)",
        "memory": "in MiB",
        "cpus": "how many",
        "hardware": "the devices that the guest finds: virtio, virtio-scsi, nvme, vmware or sata",
        "append": "more words for the kernel's command line",
        "persist": "write to the image itself, which is then no longer what was built (left out: it stays as it is)",
        "json": "print one JSON document when the guest answers",
    }
)
def boot(
    c: Context,
    image: str = "",
    memory: str = "1024",
    cpus: str = "2",
    hardware: str = "virtio",
    append: str = "",
    persist: bool = False,
    json: bool = False,
) -> None:
    """Boot an image, say how to reach it, and stay until it powers off or Ctrl-C."""
    from dataclasses import replace

    from mplskit.image.boot import chosen_image, guest_of, ways_in
    from mplskit.task_folders import workspace_for
    from mplskit.vm.hardware import hardware as kind
    from mplskit.vm.machine import booted

    workspace = workspace_for("image.boot")
    found = chosen_image(workspace, image)
    virtual = guest_of(
        found, whole_number(memory, "--memory", 128, 1 << 20), whole_number(cpus, "--cpus", 1, 64), append, persist
    )
    folder = workspace.build / "vm" / found.name
    with booted(replace(virtual, hardware=kind(hardware)), folder) as machine:
        try:
            terminal.show_fields(ways_in(machine), json)
            machine.wait()
        except (KeyboardInterrupt, Leave):  # Ctrl-C, SIGTERM: the way to end it
            pass
