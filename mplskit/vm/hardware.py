"""What a guest finds: the disk controller and the network card of one kind of host."""

from dataclasses import dataclass

from mplskit.errors import WrongInput


@dataclass(frozen=True)
class Hardware:
    """Devices in QEMU's words; the drive is called `root`, the network `net`. `root` is where the guest finds the disk.

    `like` says which hosts have the same.
    """

    name: str
    like: str
    disk: tuple[str, ...]
    card: str
    root: str


VIRTIO = Hardware("virtio", "QEMU/KVM, most clouds", ("virtio-blk-pci,drive=root",), "virtio-net-pci", "/dev/vda")

KINDS = {
    kind.name: kind
    for kind in (
        VIRTIO,
        Hardware(
            "virtio-scsi",
            "QEMU/KVM, Google",
            ("virtio-scsi-pci,id=controller", "scsi-hd,bus=controller.0,drive=root"),
            "virtio-net-pci",
            "/dev/sda",
        ),
        Hardware("nvme", "Amazon, Google, Azure", ("nvme,serial=root,drive=root",), "e1000e", "/dev/nvme0n1"),
        Hardware(
            "vmware",
            "VMware",
            ("pvscsi,id=controller", "scsi-hd,bus=controller.0,drive=root"),
            "vmxnet3",
            "/dev/sda",
        ),
        Hardware("sata", "VirtualBox, a PC", ("ide-hd,drive=root",), "e1000", "/dev/sda"),
    )
}


def hardware(name: str) -> Hardware:
    """The kind of that name. Raises WrongInput with those that there are."""
    if name not in KINDS:
        raise WrongInput(f"--hardware {name}: not known", hint=f"allowed: {', '.join(KINDS)}")
    return KINDS[name]
