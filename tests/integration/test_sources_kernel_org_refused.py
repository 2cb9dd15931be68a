"""What is refused of kernel.org: each error in its exact words, a clean cache, and a good fetch into it afterwards."""

import io
import itertools
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.golden import FOLDER, assert_golden
from tests.worlds.kernel_org import LINUX, Answer, Break, Stall, list_checksums
from tests.worlds.kernel_org_pinned import ARCHIVE, SIGNATURE, World, good, sha256
from tests.worlds.kernel_org_spoilt import pin_and_resign, revoked, signature_of_another_file, wrong_hash


def resign(signer: str) -> Callable[[World], None]:
    return lambda world: world.publish(world.tar, signer)


def unlisted(world: World) -> None:
    (world.root / LINUX / "sha256sums.asc").write_text(world.keys["autosigner"].clear(f"{'0' * 64}  other.tar.xz\n"))


def list_by_a_stranger(world: World) -> None:
    list_checksums(world.root / LINUX, world.keys["stranger"])


def unsigned_list(world: World) -> None:
    (world.root / LINUX / "sha256sums.asc").write_text(f"{sha256(world.archive)}  {ARCHIVE}\n")


def remove(name: str) -> Callable[[World], None]:
    return lambda world: (world.root / LINUX / name).unlink()


def signature_is_a_page(world: World) -> None:
    (world.root / LINUX / SIGNATURE).write_text("<html>Please log in</html>\n")


def under_another_name(world: World) -> None:
    for name in (ARCHIVE, SIGNATURE):
        shutil.copy(world.root / LINUX / name, world.root / LINUX / name.replace("999", "1000"))
    list_checksums(world.root / LINUX, world.keys["autosigner"])


def hostile(member: tarfile.TarInfo) -> Callable[[World], None]:
    """A kernel with one member more, well signed: unpacking is what refuses it."""

    def do(world: World) -> None:
        buffer = io.BytesIO(world.tar)
        with tarfile.open(fileobj=buffer, mode="a") as archive:
            archive.addfile(member)
        world.publish(buffer.getvalue())

    return do


def link_out() -> tarfile.TarInfo:
    member = tarfile.TarInfo("linux-6.1.999/include/asm")
    member.type, member.linkname = tarfile.SYMTYPE, "../../../etc"
    return member


def device_node() -> tarfile.TarInfo:
    member = tarfile.TarInfo("linux-6.1.999/null")
    member.type, member.devmajor, member.devminor = tarfile.CHRTYPE, 1, 3
    return member


def no_xz(world: World) -> None:
    world.archive.write_bytes(world.archive.read_bytes()[:100_000])
    list_checksums(world.root / LINUX, world.keys["autosigner"])


def front_page_of(text: str) -> Callable[[World], None]:
    def do(world: World) -> None:
        (world.root / "releases.json").write_text(text)

    return do


def always(name: str, *faults: Break | Stall | Answer) -> Callable[[World], None]:
    return lambda world: world.server.misbehave(name, itertools.cycle(faults))


def nothing(world: World) -> None:
    pass


def stalled(world: World) -> None:
    os.environ["MPLSKIT_NETWORK_TIMEOUT"] = "0.5"
    always(ARCHIVE, Stall(0))(world)


def mirror_gone(world: World) -> None:
    os.environ["MPLSKIT_KERNEL_MIRROR"] = "http://127.0.0.1:1/pub/linux"


def name_unknown(world: World) -> None:
    os.environ["MPLSKIT_KERNEL_MIRROR"] = "http://kernel.invalid/pub/linux"


def pinned_under_another_name(world: World) -> None:
    file = world.folder / "keys" / "linux" / f"{'A' * 40}.asc"
    file.write_bytes(world.keys["developer"].public())


def no_keys(world: World) -> None:
    shutil.rmtree(world.folder / "keys" / "linux")


PARTIAL = [f"downloads/{ARCHIVE}.partial", f"downloads/{ARCHIVE}.partial.json"]

CASES: dict[str, tuple[int, str, Callable[[World], None], list[str]]] = {
    "broken-always": (4, "6.1.999", always(ARCHIVE, Break(1000)), PARTIAL),
    "stalled": (4, "6.1.999", stalled, []),
    "busy-for-ever": (4, "6.1.999", always(ARCHIVE, Answer(503)), []),
    "busy-for-long": (4, "6.1.999", always(ARCHIVE, Answer(503, (("Retry-After", "3600"),))), []),
    "forbidden": (4, "6.1.999", always(ARCHIVE, Answer(403)), []),
    "not-there": (4, "6.1.1000", nothing, []),
    "no-connection": (4, "6.1.999", mirror_gone, []),
    "name-unknown": (4, "6.1.999", name_unknown, []),
    "wrong-hash": (4, "6.1.999", wrong_hash, []),
    "not-listed": (4, "6.1.999", unlisted, []),
    "list-by-a-stranger": (4, "6.1.999", list_by_a_stranger, []),
    "list-not-signed": (4, "6.1.999", unsigned_list, []),
    "no-list": (4, "6.1.999", remove("sha256sums.asc"), []),
    "no-signature": (4, "6.1.999", remove(SIGNATURE), []),
    "signature-of-another": (4, "6.1.999", signature_of_another_file, []),
    "signature-unreadable": (4, "6.1.999", signature_is_a_page, []),
    "key-not-pinned": (4, "6.1.999", resign("stranger"), []),
    "key-expired": (4, "6.1.999", pin_and_resign("expired"), []),
    "key-revoked": (4, "6.1.999", revoked, []),
    "key-misnamed": (2, "6.1.999", pinned_under_another_name, []),
    "key-none": (2, "6.1.999", no_keys, []),
    "under-another-name": (4, "6.1.1000", under_another_name, []),
    "hostile-path": (4, "6.1.999", hostile(tarfile.TarInfo("linux-6.1.999/../../../evil")), []),
    "hostile-link": (4, "6.1.999", hostile(link_out()), []),
    "hostile-device": (4, "6.1.999", hostile(device_node()), []),
    "damaged": (4, "6.1.999", no_xz, []),
    "releases-garbage": (4, "6.1", front_page_of("<html>\n<title>Please log in</title>\n"), []),
    "releases-gone": (4, "longterm", always("releases.json", Answer(500)), []),
    "candidate": (2, "6.19-rc6", nothing, []),
    "candidate-of-stable": (2, "6.18.2-rc1", nothing, []),
    "candidate-is-mainline": (2, "mainline", nothing, []),
    "candidate-is-series": (2, "6.19", nothing, []),
    "no-such-series": (2, "6.77", nothing, []),
    "no-such-line": (2, "77.1", nothing, []),
    "no-version": (2, "6", nothing, []),
}


@pytest.mark.parametrize("case", CASES)
def test_a_failure_is_told_in_exactly_these_words_and_leaves_the_cache_clean(case: str, world: World) -> None:
    code, wanted, spoil, left = CASES[case]
    environment = dict(os.environ)
    try:
        spoil(world)
        digest, size = sha256(world.archive), f"{world.archive.stat().st_size:,}"
        failed = world.fetch(wanted)
    finally:
        os.environ.update(environment)
    assert (failed.code, failed.out) == (code, ""), failed.err
    places = {world.folder: "/FOLDER", **{Path(key.fingerprint): name.upper() for name, key in world.keys.items()}}
    text = failed.error.replace(world.server.url, "https://mirror")
    # What xz makes of the archive depends on its version.
    text = text.replace(digest, "DIGEST").replace(size, "SIZE")
    assert_golden(f"kernelorg-{case}", text, places)
    assert world.cached() == left

    # The same cache, the same settings: nothing of the failure is in the way.
    shutil.rmtree(world.folder / "keys" / "linux", ignore_errors=True)
    world.keys["developer"].pin(world.folder / "keys" / "linux")
    world.server.faults.clear()
    world.publish(world.tar)
    done = world.fetch()
    assert done.code == 0, done.err
    assert world.cached() == good(world)


def test_every_golden_file_of_kernel_org_has_its_case() -> None:
    assert {path.stem for path in FOLDER.glob("kernelorg-*.txt")} == {f"kernelorg-{case}" for case in CASES}
