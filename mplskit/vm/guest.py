"""What to boot, and the words of QEMU that boot it; each function adds one thing."""

from dataclasses import dataclass
from pathlib import Path

from mplskit.errors import WrongInput
from mplskit.vm.acceleration import Accelerator
from mplskit.vm.hardware import VIRTIO, Hardware
from mplskit.vm.qemu import machine

QCOW2 = b"QFI\xfb"
# COMMAND_LINE_SIZE of x86 is 2048, with the null at its end; the kernel cuts off what is longer.
LONGEST = 2047


@dataclass(frozen=True)
class Plug:
    """A network card. Its cable is a connected socket that QEMU inherits, the number of its file descriptor; without
    one it is the card by which SSH comes. Without `mac` it has an address of QEMU's.
    """

    fd: int | None = None
    mac: str = ""


@dataclass(frozen=True)
class Guest:
    """A disk with a root file system on it, unpartitioned, and the kernel that is loaded directly; memory in MiB.

    Without `persist` the disk stays as it is: what the guest writes goes to a temporary overlay. `prompt` is what its
    console says when SSH answers; `plugs` are its network cards in the order in which the kernel finds them.
    """

    disk: Path
    kernel: Path
    key: Path
    initrd: Path | None = None
    memory: int = 1024
    cpus: int = 2
    append: str = ""
    persist: bool = False
    hardware: Hardware = VIRTIO
    prompt: bytes = b" login: "
    plugs: tuple[Plug, ...] = (Plug(),)

    def check(self) -> None:
        """Raise WrongInput unless every file is there, and the kernel takes the whole of its command line."""
        for what, path in (("disk", self.disk), ("kernel", self.kernel), ("key", self.key), ("initrd", self.initrd)):
            if path is not None and not path.is_file():
                raise WrongInput(f"no {what} {path}", hint="`image.build` makes disk, kernel and key together")
        length = len(direct_boot(self)[-1])
        if length > LONGEST:
            raise WrongInput(f"the kernel command line has {length} characters; {LONGEST} are allowed")


def command(guest: Guest, accelerator: Accelerator, console: Path, monitor: int) -> list[str]:
    """The command line of QEMU; `monitor` is the number of the file descriptor that speaks QMP."""
    return [
        *machine(accelerator.argv),
        *("-smp", str(guest.cpus), "-m", str(guest.memory)),
        *direct_boot(guest),
        *disk(guest),
        *cards(guest),
        *entropy(),
        *serial(console),
        *qmp(monitor),
    ]


def direct_boot(guest: Guest) -> list[str]:
    """Kernel, initramfs and kernel command line: an init that fails ends the guest as a panic does, and the only
    interface is called eth0.
    """
    initrd = ["-initrd", str(guest.initrd)] if guest.initrd is not None else []
    root = guest.hardware.root
    # Linux waits for ticks to test its timer, and panics where a busy host lets an emulated CPU miss them. Under KVM
    # it leaves the test out by itself (arch/x86/kernel/kvm.c).
    words = f"root={root} rw console=ttyS0 no_timer_check panic=-1 systemd.crash_reboot=yes net.ifnames=0"
    line = f"{words} {guest.append}".strip()
    return ["-kernel", str(guest.kernel), *initrd, "-append", line]


def disk(guest: Guest) -> list[str]:
    """The disk, on the controller of the guest's hardware."""
    with guest.disk.open("rb") as file:
        form = "qcow2" if file.read(4) == QCOW2 else "raw"
    writes = "snapshot=off" if guest.persist else "snapshot=on,cache=unsafe"
    path = str(guest.disk).replace(",", ",,")
    devices = [word for device in guest.hardware.disk for word in ("-device", device)]
    return ["-drive", f"file={path},format={form},if=none,id=root,{writes}", *devices]


def cards(guest: Guest) -> list[str]:
    """The network cards. SSH comes by user networking, with the guest's port 22 on a port of 127.0.0.1 that QEMU picks;
    `info usernet` tells which.
    """
    words = []
    for number, plug in enumerate(guest.plugs):
        name = "net" if plug.fd is None else f"link{number}"
        cable = "user,id=net,hostfwd=tcp:127.0.0.1:0-:22" if plug.fd is None else f"socket,id={name},fd={plug.fd}"
        mac = f",mac={plug.mac}" if plug.mac else ""
        words += ["-netdev", cable, "-device", f"{guest.hardware.card},netdev={name},romfile={mac}"]
    return words


def entropy() -> list[str]:
    """Randomness for the guest's first keys."""
    return ["-object", "rng-random,id=rng,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng"]


def serial(console: Path) -> list[str]:
    """The first serial port, into a file."""
    path = str(console).replace(",", ",,")
    return ["-chardev", f"file,id=console,path={path}", "-serial", "chardev:console"]


def qmp(monitor: int) -> list[str]:
    """The control channel, on a socket that QEMU inherits."""
    return ["-chardev", f"socket,id=qmp,fd={monitor}", "-mon", "chardev=qmp,mode=control"]
