"""The initramfs of a lab's machine: a static busybox, and the modules that labs need with all that those need."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from mplskit import process

INIT = Path(__file__).with_name("init")
# What finds the disk; ext4 asks for crc32c by that name only, which modules.dep does not know. What is built in has no
# file.
FOR_THE_DISK = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
WANTED = (
    *FOR_THE_DISK,
    *("virtio_net", "af_packet", "mpls_router", "mpls_iptunnel", "mpls_gso", "veth", "dummy", "tun", "bridge", "8021q"),
    *("vrf", "sch_netem", "sch_tbf", "sch_fq_codel", "ipv6", "inet_diag", "tcp_diag"),
    *("ip_gre", "ip6_gre", "ipip", "ip6_tunnel", "sit", "bareudp", "vxlan", "wireguard", "pppoe", "bonding", "macvlan"),
)
UNPACK = {".xz": ("xz", "-d"), ".zst": ("zstd", "-q", "-d", "--rm"), ".gz": ("gzip", "-d")}


def pack(tree: Path, release: str, busybox: Path, target: Path) -> None:
    """Write the initramfs for the kernel whose packages are unpacked in `tree`. Raises BuildFailed."""
    modules = next(path for path in (tree / "usr/lib/modules", tree / "lib/modules") if (path / release).is_dir())
    process.run(["depmod", "-b", _base(modules), release])
    dependencies = parse_dependencies((modules / release / "modules.dep").read_text())
    inside = target.parent / "initramfs"
    _lay(inside, busybox)
    chosen = closure(dependencies, WANTED)
    names = [bring(modules / release, path, inside / "lib/modules" / release) for path in chosen]
    for name in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        if (modules / release / name).exists():
            shutil.copyfile(modules / release / name, inside / "lib/modules" / release / name)
    (inside / "lib/modules" / release).mkdir(parents=True, exist_ok=True)
    process.run(["depmod", "-b", inside, release])
    first = closure(dependencies, FOR_THE_DISK)
    order = [f"{release}/{name}" for path, name in zip(chosen, names, strict=True) if path in first]
    (inside / "load").write_text("".join(f"{name}\n" for name in order))
    (inside / "lib/modules").rename(inside / "modules")
    (inside / "lib").rmdir()
    archive = 'find . -mindepth 1 | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0 | gzip -1 >"$1"'
    process.run(["sh", "-c", archive, "sh", target], cwd=inside)
    shutil.rmtree(inside)


def parse_dependencies(text: str) -> dict[str, tuple[str, ...]]:
    """modules.dep: a module's file -> the files of all that it needs, nearest first."""
    rows = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {path: tuple(needs.split()) for path, _, needs in rows}


def closure(dependencies: Mapping[str, tuple[str, ...]], wanted: Iterable[str]) -> list[str]:
    """The files of the wanted modules and of what they need, the needed first; what has no file is left out."""
    files = {module_name(path): path for path in dependencies}
    found: dict[str, None] = {}
    for name in wanted:
        path = files.get(name)
        if path is not None:
            found.update(dict.fromkeys((*reversed(dependencies[path]), path)))
    return list(found)


def module_name(path: str) -> str:
    """The name of the module in a file, as the kernel writes it: `kernel/net/mpls/mpls-gso.ko.xz` is mpls_gso."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def _base(modules: Path) -> Path:
    """What depmod calls the base of a tree of modules: it looks in lib/modules below it."""
    parent = modules.parent.parent
    if modules.parent.name == "lib" and parent.name == "usr":
        link = parent.parent / "lib"
        if not link.exists():
            link.symlink_to("usr/lib")
        return parent.parent
    return parent


def _lay(inside: Path, busybox: Path) -> None:
    shutil.rmtree(inside, ignore_errors=True)
    for name in ("bin", "proc", "dev", "root"):
        (inside / name).mkdir(parents=True)
    shutil.copyfile(busybox, inside / "bin/busybox")
    (inside / "bin/busybox").chmod(0o755)
    shutil.copyfile(INIT, inside / "init")
    (inside / "init").chmod(0o755)


def bring(source: Path, path: str, target: Path) -> str:
    """Copy the module at `path` from one tree to another, unpacked; its path there."""
    file = target / path
    file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / path, file)
    unpack = UNPACK.get(file.suffix)
    if unpack:
        process.run([*unpack, file])
        file = file.with_suffix("")
    return str(file.relative_to(target))
