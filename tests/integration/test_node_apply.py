"""apply.sh for real: all that it writes to are empty folders of a namespace, so this machine stays as it is."""

import shutil
from pathlib import Path

import pytest

from mplskit import process
from mplskit.node.payload import stage
from mplskit.node.report import Item, parse_line
from mplskit.node.spec import NodeSpec
from mplskit.packages.package import read_deb

CONTAINED = ["unshare", "--map-root-user", "--mount", "--net", "sh", "-c"]
GROUND = """\
for folder in /etc /var/lib /usr/local /run; do mount -t tmpfs none $folder || exit; done
mkdir -p /var/lib/dpkg/updates /var/lib/dpkg/info && : >/var/lib/dpkg/status && export APPLY="$1" || exit
"""
FILES = (
    "/etc/mplskit/node.json",
    "/etc/modules-load.d/mplskit.conf",
    "/etc/sysctl.d/90-mplskit.conf",
    "/etc/udev/rules.d/90-mplskit.rules",
)
SPEC = NodeSpec(mpls_input=("eth0",))


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    if process.run([*CONTAINED, GROUND, "sh", "/"], check=False).returncode != 0:
        pytest.skip("this machine gives no user and mount namespaces to us")


def contained(folder: Path, script: str) -> list[Item | str]:
    """What a script says in there; $APPLY is the path of apply.sh, other lines than its own come as they are."""
    ended = process.run([*CONTAINED, GROUND + script, "sh", folder / "apply.sh"], check=False)
    return [parse_line(line) if "\t" in line else line for line in ended.stdout.splitlines()]


def make_deb(folder: Path, *, content: str, depends: str = "", name: str = "mplskit-example") -> Path:
    """A real package that installs one file below /var/lib."""
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1~2+mpls1\nArchitecture: all\nMaintainer: nobody <nobody@example.org>\n"
        + (f"Depends: {depends}\n" if depends else "")
        + "Description: an example\n"
    )
    (tree / "var/lib" / name).mkdir(parents=True)
    (tree / "var/lib" / name / "content").write_text(content)
    path = folder / f"{name}_1~2+mpls1_all.deb"
    process.run(["dpkg-deb", "--root-owner-group", "--build", tree, path])
    return path


def test_an_image_gets_the_files_and_the_second_time_nothing_changes(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    script = 'sh "$APPLY" image; echo "exit $?"; sh "$APPLY" image; echo "exit $?"; stat -c %a /etc/sysctl.d/*'
    said = contained(tmp_path / "stage", script)
    first, second = said[: said.index("exit 0")], said[said.index("exit 0") + 1 :]
    assert sorted(first, key=str) == sorted((Item("changed", "file", path, "written") for path in FILES), key=str)
    assert second[-2:] == ["exit 0", "644"]
    assert sorted(second[:-2], key=str) == sorted((Item("same", "file", path, "") for path in FILES), key=str)


def test_a_file_that_was_changed_by_hand_is_written_again(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    script = 'sh "$APPLY" image >/dev/null; echo x >>/etc/sysctl.d/90-mplskit.conf; sh "$APPLY" image | grep changed'
    assert contained(tmp_path / "stage", script) == [
        Item("changed", "file", "/etc/sysctl.d/90-mplskit.conf", "written")
    ]


def test_a_file_that_cannot_be_written_fails_alone(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", ': >/etc/sysctl.d; sh "$APPLY" image; echo "exit $?"')
    assert said.pop() == "exit 1"
    states = {item.name: item.state for item in said if isinstance(item, Item)}
    assert states == {path: "failed" if "sysctl.d" in path else "changed" for path in FILES}


def test_a_package_is_installed_once_and_again_only_when_its_bytes_differ(tmp_path: Path) -> None:
    stage(tmp_path / "one", SPEC, [read_deb(make_deb(tmp_path, content="one"))])
    stage(tmp_path / "two", SPEC, [read_deb(make_deb(tmp_path, content="two"))])
    look = "cat /var/lib/mplskit-example/content; echo"
    said = contained(
        tmp_path / "one",
        f'for s in "$APPLY" "$APPLY" {tmp_path}/two/apply.sh; do sh "$s" image | grep package; {look}; done',
    )
    assert said == [
        Item("changed", "package", "mplskit-example", "1~2+mpls1 installed"),
        "one",
        Item("same", "package", "mplskit-example", "1~2+mpls1"),
        "one",
        Item("changed", "package", "mplskit-example", "1~2+mpls1 installed"),
        "two",
    ]


def test_the_newest_record_is_the_kernel_that_was_brought_last_even_when_it_was_there_already(tmp_path: Path) -> None:
    for release in ("6.12", "6.1"):
        stage(tmp_path / release, SPEC, [read_deb(make_deb(tmp_path, content=release, name=f"linux-image-{release}"))])
    bring = "sh {0}/apply.sh image | grep package | cut -f 1; ls -t /var/lib/mplskit/packages | head -n 1"
    script = "; ".join(bring.format(tmp_path / release) for release in ("6.12", "6.1", "6.12"))
    assert contained(tmp_path / "6.12", script) == [
        *("changed", "linux-image-6.12"),
        *("changed", "linux-image-6.1"),
        *("same", "linux-image-6.12"),
    ]


def test_a_package_that_dpkg_refuses_fails_with_its_words(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC, [read_deb(make_deb(tmp_path, content="one", depends="libnowhere"))])
    said = contained(tmp_path / "stage", 'sh "$APPLY" image | grep package; echo end')
    assert isinstance(said[0], Item)
    assert (said[0].state, said[0].name) == ("failed", "mplskit-example")
    assert "libnowhere" in said[0].detail


@pytest.mark.skipif(Path("/proc/sys/net/mpls").exists(), reason="MPLS is live on this machine")
def test_a_node_without_mpls_gets_its_files_and_is_told_what_failed(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    said = contained(tmp_path / "stage", 'sh "$APPLY" node; echo "exit $?"')
    assert said.pop() == "exit 1"
    items = {(item.kind, item.name): item for item in said if isinstance(item, Item)}
    assert items["file", "/etc/sysctl.d/90-mplskit.conf"].state == "changed"
    assert items["module", "mpls_router"].state == "failed"
    assert items["sysctl", "net/mpls/platform_labels"] == Item(
        "failed",
        "sysctl",
        "net/mpls/platform_labels",
        "there is no /proc/sys/net/mpls: mpls_router is not loaded",
    )


def test_another_user_than_root_is_refused_in_one_line(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    ended = process.run(["unshare", "--user", "sh", tmp_path / "stage" / "apply.sh", "node"], check=False)
    assert ended.returncode == 1
    [item] = [parse_line(line) for line in ended.stdout.splitlines()]
    assert (item.state, item.kind, item.name) == ("failed", "node", "root")
    assert item.detail.startswith("must run as root, not as ")


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC)
    ended = process.run(["sh", tmp_path / "stage" / "apply.sh", "nodes"], check=False)
    assert ended.returncode == 1
    assert ended.stdout == "failed\tnode\tmode\tnode, image or live, not 'nodes'\n"
