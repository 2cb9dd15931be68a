"""Kernel archives as users bring them: good, damaged, wrong; the cache holds whole trees or nothing."""

import hashlib
import json
import lzma
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, awaited, living, stand_in
from tests.worlds.fake_linux import pack, plant
from tests.worlds.git_server import Signers, signers


@pytest.fixture
def mplskit(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    return pack(plant(tmp_path / "origin"), tmp_path / "linux.tar.xz")


def cached(mplskit: CommandLine) -> list[str]:
    """The trees in the cache, and whatever else lies beside them."""
    folder = mplskit.folder / "cache" / "sources"
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock") if folder.exists() else []


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def insecurely(archive: Path | str) -> tuple[str, ...]:
    return "--source", f"file:{archive}", "--insecure-source"


@pytest.mark.parametrize("form", ["xz", "gz", "zst", "plain"])
def test_an_archive_is_unpacked_once_into_a_folder_named_by_its_digest(
    mplskit: CommandLine, tmp_path: Path, form: str
) -> None:
    archive = pack(plant(tmp_path / "origin"), tmp_path / ("linux.tar" if form == "plain" else f"linux.tar.{form}"))
    first = mplskit("kernel.fetch", *insecurely(archive), "--json")
    assert first.returncode == 0, first.stderr
    told = json.loads(first.stdout)
    tree = tmp_path / "cache" / "sources" / f"linux-{sha256(archive)[:24]}" / "linux"
    assert (told["version"], told["digest"], told["path"]) == ("6.1.999", sha256(archive), str(tree))
    assert told["origin"] == f"file {archive}, not verified (--insecure-source)"
    assert (tree / "net" / "mpls" / "Kconfig").is_file()
    assert sorted(path.name for path in tree.parent.iterdir()) == ["linux", "source.json"]
    second = mplskit("kernel.fetch", *insecurely(archive), "--json")
    assert json.loads(second.stdout) == told and "unpacking" in first.stderr and "unpacking" not in second.stderr


def test_an_archive_with_the_digest_that_was_given_is_taken(mplskit: CommandLine, archive: Path) -> None:
    done = mplskit("kernel.fetch", "--source", f"file:{archive}#sha256={sha256(archive).upper()}", "--json")
    assert json.loads(done.stdout)["origin"] == f"file {archive}, sha256 as given"


def test_an_archive_without_a_folder_of_its_own_is_taken(mplskit: CommandLine, tmp_path: Path) -> None:
    tree = plant(tmp_path / "origin")
    subprocess.run(["tar", "-cf", "flat.tar", "-C", tree, *(p.name for p in tree.iterdir())], check=True, cwd=tmp_path)
    assert mplskit("kernel.fetch", *insecurely("flat.tar")).returncode == 0
    [name] = cached(mplskit)
    assert (tmp_path / "cache" / "sources" / name / "linux" / "Kbuild").is_file()


def truncate(archive: Path) -> None:
    archive.write_bytes(archive.read_bytes()[:-200])


def make_no_tar(archive: Path) -> None:
    archive.write_text("<html>404 Not Found</html>\n")


def make_no_kernel(archive: Path) -> None:
    tree = plant(archive.parent / "other")
    tree.chmod(0o755)
    (tree / "Kconfig").unlink()
    pack(tree, archive)


def make_empty(archive: Path) -> None:
    archive.write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (truncate, 4, "linux.tar.xz is damaged, or no tar archive"),
        (make_no_tar, 4, "linux.tar.xz is damaged, or no tar archive"),
        (make_empty, 4, "linux.tar.xz is damaged, or no tar archive"),
        (make_no_kernel, 2, "linux.tar.xz is not a Linux source tree: it has no Kconfig"),
        (Path.unlink, 2, "there is no file "),
    ],
)
def test_an_archive_that_cannot_be_used_leaves_nothing_and_a_good_one_works_after_it(
    mplskit: CommandLine, archive: Path, damage: object, code: int, words: str
) -> None:
    good = archive.read_bytes()
    assert callable(damage)
    damage(archive)
    failed = mplskit("kernel.fetch", *insecurely(archive))
    assert (failed.returncode, failed.stdout) == (code, "")
    assert words in failed.stderr and "Traceback" not in failed.stderr
    assert cached(mplskit) == []
    archive.write_bytes(good)
    assert mplskit("kernel.fetch", *insecurely(archive)).returncode == 0


def test_an_archive_with_another_digest_is_not_even_unpacked(mplskit: CommandLine, archive: Path) -> None:
    failed = mplskit("kernel.fetch", "--source", f"file:{archive}#sha256={'0' * 64}")
    assert failed.returncode == 4
    assert f"  | asked: sha256 {'0' * 64}\n  | found: sha256 {sha256(archive)}\n" in failed.stderr
    assert not (mplskit.folder / "cache").exists()


def test_an_archive_that_nobody_vouches_for_is_refused_with_the_way_to_take_it(
    mplskit: CommandLine, archive: Path
) -> None:
    failed = mplskit("kernel.fetch", "--source", f"file:{archive}")
    assert (failed.returncode, cached(mplskit)) == (4, [])
    assert f"--source file:{archive}#sha256={sha256(archive)}; or put" in failed.stderr
    # What an insecure run has put into the cache is no witness either.
    assert mplskit("kernel.fetch", *insecurely(archive)).returncode == 0
    assert mplskit("kernel.fetch", "--source", f"file:{archive}").returncode == 4


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Signers]:
    with signers(tmp_path_factory.mktemp("pinned") / "keys") as found:
        yield found


def sign(keys: Signers, key: str, data: Path, signature: Path, *words: str) -> None:
    gpg = ["gpg", "--homedir", str(keys.home), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    argv = [*gpg, "--local-user", key, *words, "--output", str(signature), "--detach-sign", str(data)]
    subprocess.run(argv, check=True, capture_output=True)


@pytest.mark.parametrize("name", ["linux.tar.xz.asc", "linux.tar.xz.sig", "linux.tar.sign"])
def test_an_archive_with_a_signature_beside_it_by_a_pinned_key_is_taken(
    tmp_path: Path, archive: Path, keys: Signers, name: str
) -> None:
    mplskit = CommandLine(tmp_path, {"MPLSKIT_KEYS": str(keys.keys)})
    signed = archive
    if name == "linux.tar.sign":
        signed = tmp_path / "inside"
        signed.write_bytes(lzma.decompress(archive.read_bytes()))
    sign(keys, keys.pinned, signed, tmp_path / name, *(["--armor"] if name != "linux.tar.xz.sig" else []))
    first = mplskit("kernel.fetch", "--source", f"file:{archive}", "--json")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["origin"] == f"file {archive}, signed by {keys.pinned} (Release Signer)"
    again = mplskit("kernel.fetch", "--source", f"file:{archive}", "--json")
    assert again.stdout == first.stdout and "decompressing" not in again.stderr
    # The key is pinned no longer: what was verified with it counts no longer.
    (tmp_path / "none" / "linux").mkdir(parents=True)
    other = CommandLine(tmp_path, {"MPLSKIT_KEYS": str(tmp_path / "none")})
    assert other("kernel.fetch", "--source", f"file:{archive}").returncode == 2


@pytest.mark.parametrize("words", [(), ("--insecure-source",)])
def test_a_signature_that_does_not_fit_is_refused_whatever_the_user_says(
    tmp_path: Path, archive: Path, keys: Signers, words: tuple[str, ...]
) -> None:
    mplskit = CommandLine(tmp_path, {"MPLSKIT_KEYS": str(keys.keys)})
    (tmp_path / "other").write_text("other")
    sign(keys, keys.pinned, tmp_path / "other", tmp_path / "linux.tar.sign")
    failed = mplskit("kernel.fetch", "--source", f"file:{archive}", *words)
    assert (failed.returncode, cached(mplskit)) == (4, [])
    assert "error: linux.tar.xz does not fit its signature" in failed.stderr
    assert list((tmp_path / "cache" / "downloads").glob("*.work")) == []


def test_a_signature_by_a_key_that_is_not_pinned_counts_for_nothing(
    tmp_path: Path, archive: Path, keys: Signers
) -> None:
    mplskit = CommandLine(tmp_path, {"MPLSKIT_KEYS": str(keys.keys)})
    sign(keys, keys.stranger, archive, tmp_path / "linux.tar.xz.asc", "--armor")
    failed = mplskit("kernel.fetch", "--source", f"file:{archive}")
    assert (failed.returncode, cached(mplskit)) == (4, [])
    assert "error: linux.tar.xz is signed by a key that is not pinned\n" in failed.stderr
    taken = mplskit("kernel.fetch", *insecurely(archive), "--json")
    assert json.loads(taken.stdout)["origin"] == f"file {archive}, not verified (--insecure-source)"
    assert "is taken all the same" in taken.stderr


def test_an_archive_cannot_lead_out_of_its_folder(mplskit: CommandLine, tmp_path: Path) -> None:
    plant(tmp_path / "origin")
    (tmp_path / "linux").symlink_to(tmp_path / "origin" / "linux-6.1.999")
    subprocess.run(["tar", "-cf", "link.tar", "linux"], check=True, cwd=tmp_path)
    assert mplskit("kernel.fetch", *insecurely("link.tar")).returncode == 4
    assert cached(mplskit) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_an_interruption_while_unpacking_leaves_nothing_that_is_trusted(
    tmp_path: Path, archive: Path, number: signal.Signals
) -> None:
    # A stand-in for a slow xz: something is there, the rest never comes.
    slow = f"head -c 5000 /dev/zero\ntouch {tmp_path}/begun\nexec sleep 1001.5\n"
    interrupted = CommandLine(tmp_path, stand_in(tmp_path / "bin", "xz", slow))
    with interrupted.running("kernel.fetch", *insecurely(archive)) as process:
        assert awaited((tmp_path / "begun").exists)
        process.send_signal(number)
        code = process.wait(20)
    assert code == (-9 if number == signal.SIGKILL else 130 if number == signal.SIGINT else 128 + number)
    assert awaited(lambda: not living("sleep 1001.5"))
    if number != signal.SIGKILL:
        assert cached(interrupted) == []
    assert not any(name.startswith("linux-") for name in cached(interrupted))

    done = CommandLine(tmp_path)("kernel.fetch", *insecurely(archive))
    assert done.returncode == 0, done.stderr
    assert [name[:6] for name in cached(interrupted)] == ["linux-"]


def test_a_tree_that_someone_else_removed_from_the_cache_is_unpacked_again(mplskit: CommandLine, archive: Path) -> None:
    mplskit("kernel.fetch", *insecurely(archive))
    shutil.rmtree(mplskit.folder / "cache")
    assert mplskit("kernel.fetch", *insecurely(archive)).returncode == 0
