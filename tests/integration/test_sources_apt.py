"""The private apt root, and a mirror that refuses."""

from pathlib import Path

import pytest

from mplskit.errors import Exit, OutsideFailed
from mplskit.files import build_once
from mplskit.sources import apt

# Nobody listens on the discard port of this machine.
DEAD = "deb-src [trusted=yes] http://127.0.0.1:9/debian nowhere main\n"


def test_a_mirror_that_refuses_is_outside_and_leaves_no_root_behind(tmp_path: Path) -> None:
    target = tmp_path / "apt" / "root"
    with pytest.raises(OutsideFailed) as caught:
        build_once(target, lambda folder: apt.make_root(folder, [DEAD]))
    assert caught.value.code == Exit.OUTSIDE_FAILED
    assert caught.value.message == "apt could not fetch the lists of source packages from this machine's mirror"
    assert caught.value.detail.startswith("$ apt-get -q ")
    assert "127.0.0.1" in caught.value.detail
    assert [path.name for path in target.parent.iterdir()] == [".root.lock"]


def test_a_package_that_the_mirror_lacks_is_outside(tmp_path: Path) -> None:
    with pytest.raises(OutsideFailed, match="apt could not fetch no-such-package from this machine's mirror"):
        apt.download(apt.Offer("no-such-package", "1", "0" * 64), tmp_path)
