"""What can be wrong with what a kernel.org serves."""

from collections.abc import Callable

from tests.worlds.kernel_org import LINUX, list_checksums
from tests.worlds.kernel_org_pinned import ARCHIVE, SIGNATURE, World


def pin_and_resign(signer: str) -> Callable[[World], None]:
    def do(world: World) -> None:
        world.keys[signer].pin(world.folder / "keys" / "linux")
        world.publish(world.tar, signer)

    return do


def revoked(world: World) -> None:
    pin_and_resign("stolen")(world)
    key = world.keys["stolen"]
    (world.folder / "keys" / "linux" / f"{key.fingerprint}.asc").write_bytes(key.revoked())


def wrong_hash(world: World) -> None:
    list_checksums(world.root / LINUX, world.keys["autosigner"], wrong=ARCHIVE)


def signature_of_another_file(world: World) -> None:
    (world.root / LINUX / SIGNATURE).write_bytes(world.keys["developer"].detached(b"another file"))
