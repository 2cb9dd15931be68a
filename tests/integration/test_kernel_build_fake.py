"""kernel.config and kernel.build from end to end on a tree that behaves like a kernel, which nobody may write to."""

import hashlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, awaited, living
from tests.worlds.fake_linux import pack, plant, snapshot


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    planted = plant(tmp_path / "origin")
    before = snapshot(planted)
    yield planted
    assert snapshot(planted) == before, "somebody wrote to the source tree"


@pytest.fixture
def mplskit(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def build(mplskit: CommandLine, tree: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return mplskit("kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg", *words)


def built(mplskit: CommandLine, tree: Path, *words: str) -> dict[str, object]:
    done = build(mplskit, tree, "--json", *words)
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout)
    return told


def delivered(mplskit: CommandLine) -> list[str]:
    folder = mplskit.folder / "dist"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_build_delivers_packages_and_says_in_metadata_where_they_come_from(mplskit: CommandLine, tree: Path) -> None:
    told = built(mplskit, tree)
    release = str(told["release"])
    assert release.startswith("6.1.999-mpls-") and len(release) == len("6.1.999-mpls-") + 8
    headers, image = (f"linux-{kind}-{release}_1.mpls_amd64.deb" for kind in ("headers", "image"))
    assert delivered(mplskit) == [headers, image, "metadata.json"]

    dist = mplskit.folder / "dist"
    assert json.loads((dist / "metadata.json").read_text()) == told
    packages = told["packages"]
    assert isinstance(packages, list)
    assert [(row["role"], row["file"], row["version"]) for row in packages] == [
        ("headers", headers, "1.mpls"),
        ("image", image, "1.mpls"),
    ]
    for row in packages:
        data = (dist / row["file"]).read_bytes()
        assert (row["size"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert told["source"] == {
        "name": "linux",
        "version": "6.1.999",
        "spec": f"tree:{tree}",
        "origin": f"tree {tree}",
        "digest": told["source"]["digest"],  # type: ignore[index]
        "path": str(tree),
    }
    config = told["config"]
    assert isinstance(config, dict)
    assert {row["symbol"]: (row["asked"], row["got"], row["verdict"]) for row in config["verdicts"]} == {
        "MPLS": ("y", "y", "granted"),
        "LWTUNNEL": ("y", "y", "granted"),
        "MPLS_ROUTING": ("m", "m", "granted"),
        "MPLS_IPTUNNEL": ("m", "m", "granted"),
        "NET_MPLS_GSO": ("m", "m", "granted"),
    }
    assert told["builder"] == "bindeb-pkg"
    assert str(told["compiler"]).startswith("gcc ")
    assert f" bindeb-pkg KDEB_PKGVERSION=1.mpls LOCALVERSION={release.removeprefix('6.1.999')}" in str(told["command"])
    assert isinstance(told["seconds"], float)


def test_what_fix_has_added_stands_in_the_metadata(mplskit: CommandLine, tree: Path) -> None:
    lost = build(mplskit, tree, "--set", "MPLS=m")
    assert lost.returncode == 1 and delivered(mplskit) == []
    assert "hint: change what is asked (--set, --options, --fragment) or the base; --fix adds" in lost.stderr
    told = built(mplskit, tree, "--set", "MPLS=m", "--fix")
    rows = {row["symbol"]: row for row in told["config"]["verdicts"]}  # type: ignore[index]
    assert (rows["MPLS"]["asked"], rows["MPLS"]["got"]) == ("y", "y")
    assert rows["MPLS"]["asked_by"] == "--fix: instead of MPLS=m (--set MPLS=m)"


def test_a_dry_run_says_that_more_may_be_added(mplskit: CommandLine, tree: Path) -> None:
    plan = json.loads(build(mplskit, tree, "--fix", "--dry-run", "--json").stdout)
    assert plan["fix"] == "what else is needed is added, where there is one way only"


def test_the_same_again_builds_nothing(mplskit: CommandLine, tree: Path) -> None:
    first = built(mplskit, tree)
    before = snapshot(mplskit.folder / "build" / "kernel")
    again = build(mplskit, tree)
    assert again.returncode == 0 and "is built already" in again.stderr and "building" not in again.stderr
    assert mplskit.journal() == [first["release"]]
    assert snapshot(mplskit.folder / "build" / "kernel") == before
    assert [Path(line).name for line in again.stdout.split()] == delivered(mplskit)[:2]


def test_packages_that_were_lost_or_spoilt_are_delivered_again_without_a_build(
    mplskit: CommandLine, tree: Path
) -> None:
    built(mplskit, tree)
    before = {name: (mplskit.folder / "dist" / name).read_bytes() for name in delivered(mplskit)}
    headers, image, _ = before
    (mplskit.folder / "dist" / headers).unlink()
    (mplskit.folder / "dist" / image).write_bytes(b"spoilt")
    built(mplskit, tree)
    assert {name: (mplskit.folder / "dist" / name).read_bytes() for name in delivered(mplskit)} == before
    assert len(mplskit.journal()) == 1


def test_a_package_that_was_changed_in_the_build_folder_is_not_delivered(mplskit: CommandLine, tree: Path) -> None:
    built(mplskit, tree)
    [image] = (mplskit.folder / "build" / "kernel").glob("*/linux-image-*.deb")
    image.write_bytes(b"spoilt")
    (mplskit.folder / "dist" / image.name).unlink()
    failed = build(mplskit, tree)
    assert failed.returncode == 5 and f"{image} was changed since it was built" in failed.stderr
    assert image.name not in delivered(mplskit)


def test_a_build_whose_record_is_damaged_is_made_anew(mplskit: CommandLine, tree: Path) -> None:
    first = built(mplskit, tree)
    [record] = (mplskit.folder / "build" / "kernel").glob("*/metadata.json")
    record.write_text(record.read_text()[:40])
    again = build(mplskit, tree)
    assert again.returncode == 0, again.stderr
    assert f"! {record.parent} is damaged: it is made anew" in again.stderr
    assert mplskit.journal() == [first["release"]] * 2


def test_whatever_is_changed_gives_another_kernel_release(mplskit: CommandLine, tree: Path) -> None:
    asked: list[tuple[str, ...]] = [(), ("--set", "MPLS_ROUTING=y"), ("--set", "SYSFS=n"), ("--revision", "2.mpls")]
    releases = [str(built(mplskit, tree, *words)["release"]) for words in asked]
    assert len(set(releases)) == 4 and mplskit.journal() == releases


def test_a_changed_source_gives_another_kernel_release(mplskit: CommandLine, tmp_path: Path, tree: Path) -> None:
    other = plant(tmp_path / "other")
    (other / "Kbuild").chmod(0o644)
    (other / "Kbuild").write_text("obj-y += net/ lib/\n")
    assert built(mplskit, tree)["release"] != built(mplskit, other)["release"]


def test_revision_and_suffix_that_were_asked_for_are_taken(mplskit: CommandLine, tree: Path) -> None:
    assert built(mplskit, tree, "--revision", "2~rc1", "--suffix=-mine")["release"] == "6.1.999-mine"
    assert "linux-image-6.1.999-mine_2~rc1_amd64.deb" in delivered(mplskit)


def test_two_folders_with_the_same_inputs_make_the_same_packages(tmp_path: Path, tree: Path) -> None:
    digests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        packages = built(CommandLine(tmp_path / name), tree)["packages"]
        assert isinstance(packages, list)
        digests.append([row["sha256"] for row in packages])
    assert digests[0] == digests[1]


def test_runs_at_the_same_time_build_once_and_all_end_well(mplskit: CommandLine, tree: Path) -> None:
    words = ("kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg")
    with mplskit.running(*words) as one, mplskit.running(*words) as two, mplskit.running(*words) as three:
        assert [run.wait(60) for run in (one, two, three)] == [0, 0, 0]
    assert len(mplskit.journal()) == 1
    assert len(delivered(mplskit)) == 3 and mplskit.leftovers() == []


def test_a_lost_option_stops_before_the_build_and_says_why(mplskit: CommandLine, tree: Path) -> None:
    failed = build(mplskit, tree, "--set", "MPLS=n")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "MPLS_ROUTING: asked m (options/mpls.config:13), got n: unmet\n" in failed.stderr
    assert "mend: --set MPLS=y (against --set MPLS=n)" in failed.stderr
    assert mplskit.journal() == [] and delivered(mplskit) == []


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("BREAK_BUILD", 5, "  | net/mpls/af_mpls.c:101:1: error: expected a label\n"),
        ("LOSE_MPLS_ROUTING", 1, "  | MPLS_ROUTING: asked m (options/mpls.config:13), got n: unmet\n"),
        ("LEAVE_NO_IMAGE", 5, "error: bindeb-pkg ended well and left no linux-image package\n"),
        ("LEAVE_NOTHING", 5, "error: bindeb-pkg ended well and left no package\n"),
    ],
)
def test_a_build_that_fails_delivers_nothing_names_its_log_and_is_not_trusted_later(
    mplskit: CommandLine, tree: Path, fault: str, code: int, words: str
) -> None:
    for attempt in (1, 2):
        failed = build(mplskit, tree, "--set", f"{fault}=y")
        assert (failed.returncode, failed.stdout) == (code, "")
        assert words in failed.stderr and "Traceback" not in failed.stderr
        [log] = (mplskit.folder / "build" / "logs").glob("kernel-*.log")
        assert f"the whole output goes to {log}\n" in failed.stderr
        assert "  CC      net/mpls/af_mpls.o\n" in log.read_text()
        assert (mplskit.leftovers(), delivered(mplskit), len(mplskit.journal())) == ([], [], attempt)
    assert build(mplskit, tree).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_ends_its_children_and_is_not_trusted_later(
    mplskit: CommandLine, tree: Path, number: signal.Signals
) -> None:
    words = ("kernel.build", "--source", f"tree:{tree}", "--builder", "bindeb-pkg", "--set", "NEVER_END=y")
    with mplskit.running(*words) as process:
        assert awaited(mplskit.journal)
        process.send_signal(number)
        process.wait(20)
    assert awaited(lambda: not living(str(mplskit.folder)) and not living("sleep 1000.75"))
    assert delivered(mplskit) == []
    assert list((mplskit.folder / "build" / "kernel").glob("[!.]*")) == []
    if number == signal.SIGTERM:
        assert mplskit.leftovers() == []


def test_a_dry_run_shows_the_command_and_does_nothing(mplskit: CommandLine, tree: Path) -> None:
    done = build(mplskit, tree, "--dry-run", "--json", "--set", "mpls-router=y", "--jobs", "3")
    told = json.loads(done.stdout)
    assert told["command"] == (
        "make -C SOURCE O=BUILD/objects -j3 bindeb-pkg KDEB_PKGVERSION=1.mpls LOCALVERSION=-mpls-DIGEST"
    )
    assert "CONFIG_MPLS_ROUTING=y (--set mpls-router=y)" in told["settings"]
    assert not (mplskit.folder / "build").exists() and not (mplskit.folder / "cache").exists()


def test_a_configuration_is_judged_and_kept(mplskit: CommandLine, tree: Path) -> None:
    words = ("kernel.config", "--source", f"tree:{tree}", "--json")
    told = json.loads(mplskit(*words).stdout)
    assert [(row["symbol"], row["got"], row["verdict"]) for row in told["verdicts"]] == [
        ("MPLS", "y", "granted"),
        ("LWTUNNEL", "y", "granted"),
        ("MPLS_ROUTING", "m", "granted"),
        ("MPLS_IPTUNNEL", "m", "granted"),
        ("NET_MPLS_GSO", "m", "granted"),
    ]
    config = Path(told["config"])
    assert "CONFIG_MPLS_ROUTING=m\n" in config.read_text()
    assert told["sha256"] == hashlib.sha256(config.read_bytes()).hexdigest()
    again = mplskit(*words)
    assert json.loads(again.stdout) == told and "configuring" not in again.stderr


def test_a_whole_configuration_is_a_base_and_keeps_what_nobody_asked_about(
    mplskit: CommandLine, tree: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "config-mine"
    mine.write_text("CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_PROC_SYSCTL=y\nCONFIG_SYSFS=y\nCONFIG_NET_IP_TUNNEL=m\n")
    done = mplskit("kernel.config", "--source", f"tree:{tree}", "--base", mine, "--json")
    assert done.returncode == 0, done.stderr
    text = Path(json.loads(done.stdout)["config"]).read_text()
    assert "CONFIG_SYSFS=y\n" in text and "CONFIG_NET_IP_TUNNEL=m\n" in text and "CONFIG_MPLS=y\n" in text


def test_a_lost_option_is_told_with_json_too_and_stdout_stays_one_document(mplskit: CommandLine, tree: Path) -> None:
    failed = mplskit("kernel.config", "--source", f"tree:{tree}", "--set", "MPLS_IPTUNEL=y", "--json")
    assert failed.returncode == 1
    last = json.loads(failed.stdout)["verdicts"][-1]
    assert (last["symbol"], last["verdict"]) == ("MPLS_IPTUNEL", "unknown")
    assert "this kernel has no such symbol; did you mean MPLS_IPTUNNEL?" in failed.stderr


BASE = "CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_PROC_SYSCTL=y\nCONFIG_DEVKMEM=y\nCONFIG_EXT4_FS=y\n"


def test_what_a_base_loses_is_told_and_stands_beside_the_configuration(mplskit: CommandLine, tree: Path) -> None:
    (mplskit.folder / "old").write_text(BASE)
    done = mplskit("kernel.config", "--source", f"tree:{tree}", "--base", "old", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    rows = [(row["symbol"], row["before"], row["after"], row["reason"]) for row in told["base_lost"]]
    assert rows == [("DEVKMEM", "y", "n", "not in this kernel"), ("EXT4_FS", "y", "n", "not in this kernel")]
    file = Path(told["config"]).with_name("base-lost.json")
    assert json.loads(file.read_text()) == told["base_lost"]
    assert f"of the 5 settings of the base 2 are not as they were: 2 not in this kernel ({file})\n" in done.stderr
    assert "! EXT4_FS (y in the base, n here) is needed for the root file system: " in done.stderr
    assert "DEVKMEM" not in done.stderr


def test_what_a_base_loses_stands_in_the_metadata(mplskit: CommandLine, tree: Path) -> None:
    (mplskit.folder / "old").write_text(BASE)
    config = built(mplskit, tree, "--base", "old")["config"]
    assert [row["symbol"] for row in config["base_lost"]] == ["DEVKMEM", "EXT4_FS"]  # type: ignore[index]


def test_a_configuration_is_shown_beside_an_old_one(mplskit: CommandLine, tree: Path) -> None:
    (mplskit.folder / "old").write_text(f"{BASE}CONFIG_MPLS_ROUTING=y\n")
    words = ("kernel.config", "--source", f"tree:{tree}", "--base", "old", "--set", "PROC_SYSCTL=n", "--diff", "old")
    lost = mplskit(*words)
    assert lost.returncode == 1 and "MPLS_ROUTING" in lost.stderr
    done = mplskit("kernel.config", "--source", f"tree:{tree}", "--base", "old", "--diff", "old", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["symbol"]: (row["old"], row["new"], row["difference"]) for row in json.loads(done.stdout)["diff"]}
    assert rows["DEVKMEM"] == ("y", "n", "only in OLD")
    assert rows["MPLS"] == ("n", "y", "only here")
    assert rows["MPLS_ROUTING"] == ("y", "m", "changed")
    assert "NET" not in rows
    shown = mplskit("kernel.config", "--source", f"tree:{tree}", "--base", "old", "--diff", "old").stdout
    assert "OLD (old)" in shown and "only in OLD" in shown


def test_an_old_configuration_that_is_none_is_refused_before_anything_is_done(mplskit: CommandLine, tree: Path) -> None:
    refused = mplskit("kernel.config", "--source", f"tree:{tree}", "--diff", "nowhere")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "error: --diff nowhere: there is no such file\n" in refused.stderr


HARDENING = """\
# What no kernel should have, of all releases:
# CONFIG_DEVKMEM is not set
# CONFIG_BINFMT_AOUT is not set
# CONFIG_NET_IP_TUNNEL is not set
CONFIG_SYSFS=y
"""


def test_a_fragment_that_turns_off_what_this_kernel_never_had_is_granted(mplskit: CommandLine, tree: Path) -> None:
    (mplskit.folder / "hard.config").write_text(HARDENING)
    done = mplskit("kernel.config", "--source", f"tree:{tree}", "--fragment", "hard.config", "--json")
    assert done.returncode == 0, done.stderr
    assert "asked n and granted, since this kernel has no such symbol: DEVKMEM, BINFMT_AOUT\n" in done.stderr
    rows = {row["symbol"]: (row["verdict"], row["why"]) for row in json.loads(done.stdout)["verdicts"]}
    assert rows["DEVKMEM"] == ("granted", "this kernel has no such symbol")
    assert rows["NET_IP_TUNNEL"] == ("granted", "")
    shown = mplskit("kernel.config", "--source", f"tree:{tree}", "--fragment", "hard.config").stdout
    assert "granted: this kernel has no such symbol" in " ".join(shown.split())


def test_what_is_turned_off_under_a_misspelt_name_is_lost(mplskit: CommandLine, tree: Path) -> None:
    (mplskit.folder / "hard.config").write_text("# CONFIG_NET_IP_TUNEL is not set\n")
    failed = mplskit("kernel.config", "--source", f"tree:{tree}", "--fragment", "hard.config")
    assert failed.returncode == 1
    assert "this kernel has no such symbol; did you mean NET_IP_TUNNEL?" in failed.stderr


@pytest.mark.parametrize("left", [".config", "include/config", "arch/x86/include/generated"])
def test_a_tree_that_was_built_in_is_refused_before_anything_is_configured(
    mplskit: CommandLine, tmp_path: Path, left: str
) -> None:
    tree = plant(tmp_path / "used")
    for folder in (tree, tree / "arch", tree / "arch/x86"):
        folder.chmod(0o755)
    (tree / left).mkdir(parents=True) if "/" in left else (tree / left).touch()
    for task in ("kernel.build", "kernel.config", "kernel.fetch"):
        failed = mplskit(task, "--source", f"tree:{tree}")
        assert failed.returncode == 2 and "`make mrproper` in that tree cleans it" in failed.stderr
        assert f"the tree has been built in ({left})" in failed.stderr and "configuring" not in failed.stderr


def test_an_archive_of_a_tree_that_was_built_in_is_refused(mplskit: CommandLine, tmp_path: Path) -> None:
    tree = plant(tmp_path / "used")
    tree.chmod(0o755)
    (tree / ".config").touch()
    archive = pack(tree, tmp_path / "linux.tar")
    failed = mplskit("kernel.config", "--source", f"file:{archive}", "--insecure-source")
    assert failed.returncode == 2 and f"source file:{archive}: the tree has been built in (.config)" in failed.stderr
    assert mplskit.leftovers() == []
