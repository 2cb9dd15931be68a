"""The machine of a lab as a guest: the disk of labs, booted by the kernel that was chosen."""

from mplskit.lab.machine.appliance import Appliance
from mplskit.lab.machine.lab_kernel import LabKernel
from mplskit.vm.guest import Guest

# sshd says so itself: there is no login prompt.
LISTENS = b"Server listening on"


def lab_guest(disk: Appliance, kernel: LabKernel, memory: int = 1024, cpus: int = 2) -> Guest:
    """The guest; memory in MiB. What it writes to the disk is gone with it."""
    return Guest(
        disk=disk.disk,
        kernel=kernel.vmlinuz,
        key=disk.key,
        initrd=kernel.initrd,
        memory=memory,
        cpus=cpus,
        append="quiet loglevel=4",
        prompt=LISTENS,
    )
