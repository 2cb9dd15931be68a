"""Which packages a node needs still, and whether it has room for them: by what it says of itself."""

from collections.abc import Mapping, Sequence
from typing import Any

KIB_OF_A_MIB = 1 << 10


def is_size(text: str) -> bool:
    """Whether a node says a number of KiB that can be."""
    return text.isascii() and text.isdigit() and len(text) < 19


def needed(packages: Sequence[Mapping[str, Any]], offer: str) -> tuple[list[str], list[str]]:
    """The parts to bring, and a line of the report for each file system that is too small for them.

    A package has a name, `identity` (SHA256 VERSION), the `part` of the archive that holds it, what it `needs` by
    folder in KiB, and whether it is a `kernel`. `offer` has lines: have, what, name, detail.
    """
    rows = [line.split("\t") for line in offer.splitlines() if line.startswith("have\t") and line.count("\t") == 3]
    there = {name: detail for _, kind, name, detail in rows if kind == "package"}
    room = {name: detail.strip().partition(" ")[::2] for _, kind, name, detail in rows if kind == "space"}
    initrd = next((int(detail) for _, kind, _, detail in rows if kind == "initrd" and is_size(detail)), 0)
    missing = [package for package in packages if there.get(package["name"]) != package["identity"]]
    asked: dict[str, int] = {}
    folders: dict[str, set[str]] = {}
    for package in missing:
        sizes = dict(package["needs"])
        if package["kernel"]:
            sizes["/boot"] = sizes.get("/boot", 0) + initrd
        for folder, size in sizes.items():
            mount = room.get(folder, ("", ""))[1]
            asked[mount] = asked.get(mount, 0) + size
            folders.setdefault(mount, set()).add(folder)
    free = {mount: int(size) for size, mount in room.values() if is_size(size)}
    names = ", ".join(package["name"] for package in missing)
    lacking = [
        f"failed\tnode\tspace\t{mount} has {free[mount] // KIB_OF_A_MIB} MiB free, and {-(-size // KIB_OF_A_MIB)} MiB "
        f"are needed ({', '.join(sorted(folders[mount]))}) for {names}"
        for mount, size in asked.items()
        if mount in free and size > free[mount]
    ]
    return [package["part"] for package in missing], lacking
