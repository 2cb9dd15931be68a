"""Packages that apply.sh brings: a real dpkg installs them in folders of a namespace."""

from pathlib import Path

import pytest

from mplskit.debian.package_file import read_deb
from mplskit.node.payload.payload import stage
from mplskit.node.payload_report import Item
from tests.worlds.contained_node import SPEC, contained
from tests.worlds.package_file import example_deb

pytestmark = pytest.mark.usefixtures("namespaces")


def test_a_package_is_installed_once_and_again_only_when_its_bytes_differ(tmp_path: Path) -> None:
    stage(tmp_path / "one", SPEC, [read_deb(example_deb(tmp_path, content="one"))])
    stage(tmp_path / "two", SPEC, [read_deb(example_deb(tmp_path, content="two"))])
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
        deb = example_deb(tmp_path, content=release, name=f"linux-image-{release}")
        stage(tmp_path / release, SPEC, [read_deb(deb)])
    bring = "sh {0}/apply.sh image | grep package | cut -f 1; ls -t /var/lib/mplskit/packages | head -n 1"
    script = "; ".join(bring.format(tmp_path / release) for release in ("6.12", "6.1", "6.12"))
    assert contained(tmp_path / "6.12", script) == [
        *("changed", "linux-image-6.12"),
        *("changed", "linux-image-6.1"),
        *("same", "linux-image-6.12"),
    ]


def test_a_package_that_dpkg_refuses_fails_with_its_words(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC, [read_deb(example_deb(tmp_path, content="one", depends="libnowhere"))])
    said = contained(tmp_path / "stage", 'sh "$APPLY" image | grep package; echo end')
    assert isinstance(said[0], Item)
    assert (said[0].state, said[0].name) == ("failed", "mplskit-example")
    assert "libnowhere" in said[0].detail


def test_a_file_is_kept_for_later_in_a_run_that_installs_packages_too(tmp_path: Path) -> None:
    stage(tmp_path / "stage", SPEC, [read_deb(example_deb(tmp_path, content="one"))])
    file = "/etc/sysctl.d/90-mplskit.conf"
    own = f"mkdir -p /etc/sysctl.d; echo mine >{file}"
    said = contained(tmp_path / "stage", f'{own}; sh "$APPLY" image; sh "$APPLY" remove >/dev/null; cat {file}')
    assert Item("changed", "file", file, "changed") in said
    assert said[-1] == "mine"
