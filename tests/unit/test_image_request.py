import json
from pathlib import Path
from typing import Any

import pytest

from mplskit.debian.kernel_choice import FileKernel
from mplskit.debian.package_file import read_deb
from mplskit.debian.suites import release
from mplskit.errors import WrongInput
from mplskit.files import digest_file
from mplskit.image.flags import ImageFlags
from mplskit.image.image_request import make_request
from mplskit.image.rootfs import packages
from mplskit.paths import Workspace
from tests.worlds.package_file import make_deb

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "build", tmp_path / "dist", tmp_path / "cache")


def put(workspace: Workspace, record: str, name: str, role: str) -> Path:
    workspace.dist.mkdir(exist_ok=True)
    path = make_deb(workspace.dist, name, version="1.mpls", file=f"{name}.deb")
    (workspace.dist / record).write_text(
        json.dumps({"packages": [{"package": name, "file": path.name, "role": role, "sha256": digest_file(path)}]})
    )
    return path


def test_the_kernel_and_ip_that_were_built_here_are_taken(workspace: Workspace) -> None:
    kernel = put(workspace, "metadata.json", "linux-image-6.1.1-mpls", "image")
    iproute2 = put(workspace, "iproute2.json", "iproute2", "iproute2")
    request = make_request(workspace, ImageFlags("bookworm"))
    assert request.name == "mplskit-bookworm"
    assert request.kernel == FileKernel(read_deb(kernel))
    assert [deb.path for deb in request.debs(workspace.cache)] == (
        [kernel, iproute2] if release() == "bookworm" else [kernel]
    )


def test_an_ip_that_was_built_on_another_release_is_not_taken_unasked(workspace: Workspace) -> None:
    path = put(workspace, "iproute2.json", "iproute2", "iproute2")
    other = "trixie" if release() == "bookworm" else "bookworm"
    assert make_request(workspace, ImageFlags(other, kernel="stock")).iproute2 is None
    asked = make_request(workspace, ImageFlags(other, kernel="stock", iproute2=str(path))).iproute2
    assert asked is not None and asked.path == path


def test_a_stock_image_has_nothing_of_ours_and_a_name_of_its_own(workspace: Workspace) -> None:
    put(workspace, "metadata.json", "linux-image-6.1.1-mpls", "image")
    request = make_request(workspace, ImageFlags("trixie", kernel="stock", iproute2="stock"))
    assert (request.name, request.debs(workspace.cache), request.public_key) == ("mplskit-trixie-stock", (), None)


def test_a_kernel_of_the_images_suite_comes_by_apt_and_one_of_another_is_brought(workspace: Workspace) -> None:
    own = make_request(
        workspace, ImageFlags("trixie", kernel="debian:trixie/linux-image-cloud-amd64", iproute2="stock")
    )
    assert (own.name, own.shown_debs()) == ("mplskit-trixie-stock", [])
    assert packages(own)[-2:] == ("linux-image-cloud-amd64", "initramfs-tools")
    other = make_request(workspace, ImageFlags("bookworm", kernel="debian:trixie", iproute2="stock"))
    assert (other.name, other.shown_debs()) == ("mplskit-bookworm-stock", ["debian:trixie/linux-image-amd64"])
    assert packages(other)[-2:] == ("linux-base", "initramfs-tools")


def test_a_public_key_is_taken(workspace: Workspace, tmp_path: Path) -> None:
    key = tmp_path / "id_ed25519.pub"
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 me@here\n")
    assert make_request(workspace, ImageFlags("bookworm", kernel="stock", ssh_key=str(key))).public_key == key


@pytest.mark.parametrize(
    ("case", "flags"),
    [
        ("suite", {"suite": "jessie"}),
        ("name", {"kernel": "stock", "name": "../x"}),
        ("name-of-another", {"kernel": "stock", "name": "metadata"}),
        ("ip-is-headers", {"kernel": "stock", "iproute2": "linux-headers-6.1.deb"}),
        ("ssh-key", {"kernel": "stock", "ssh_key": "private"}),
    ],
)
def test_what_cannot_be_built_is_refused_with_what_is_allowed(
    case: str, flags: dict[str, Any], workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_deb(tmp_path, "linux-headers-6.1", file="linux-headers-6.1.deb")
    Path("private").write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    with pytest.raises(WrongInput) as refused:
        make_request(workspace, ImageFlags(**{"suite": "bookworm", **flags}))
    assert f"{refused.value}\n".replace(str(tmp_path), "") == (GOLDEN / f"image-{case}.txt").read_text()
