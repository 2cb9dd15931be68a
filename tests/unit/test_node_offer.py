"""What a node says that it has, and what follows for what is sent."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.debian.package_file import Deb, Package, Role
from mplskit.errors import WrongInput
from mplskit.node.payload import packages_there
from mplskit.node.payload.packages_there import Offer, unpacked
from mplskit.node.payload_report import parse_line

LINES = (
    "have\tpackage\tiproute2\t" + "a" * 64 + " 6.1.0-3+mpls1",
    "have\tspace\t/var/tmp\t 20480 /var",
    "have\tspace\t/boot\t 51200 /boot",
    "have\tspace\t/lib\t102400 /",
    "have\tspace\t/usr\t102400 /",
    "have\tinitrd\tlargest\t40960",
    "have\tnode\tpackages\t",
)
IPROUTE2 = Deb(Path("ip.deb"), Package("iproute2", "6.1.0-3+mpls1", "ip.deb", "a" * 64, 1 << 20, Role.IPROUTE2))
KERNEL = Deb(Path("k.deb"), Package("linux-image-6.12.1", "1", "k.deb", "b" * 64, 15 << 20, Role.IMAGE))


def heard(*lines: str) -> Offer:
    found = Offer()
    assert [found.take(parse_line(line)) for line in lines] == [*[False] * (len(lines) - 1), True]
    return found


@pytest.fixture(autouse=True)
def sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel of 10 MiB in /boot and 50 MiB of modules, and an ip of 3 MiB, without packages of that size."""
    known = {KERNEL: {"/boot": 10 << 10, "/lib": 50 << 10, "/usr": 100}, IPROUTE2: {"/usr": 3 << 10}}
    monkeypatch.setattr(packages_there, "unpacked", known.__getitem__)


def test_a_package_is_missing_unless_name_version_and_digest_agree() -> None:
    assert heard(*LINES).missing([KERNEL, IPROUTE2]) == [KERNEL]
    assert heard(LINES[0].replace("mpls1", "mpls2"), LINES[-1]).missing([IPROUTE2]) == [IPROUTE2]
    assert heard(LINES[0].replace("aaa", "abc"), LINES[-1]).missing([IPROUTE2]) == [IPROUTE2]
    assert heard(LINES[-1]).missing([IPROUTE2]) == [IPROUTE2]


def test_there_is_room_for_what_fits_exactly() -> None:
    # 10 MiB and an initramfs of 40 MiB are the 50 MiB that /boot has.
    assert heard(*LINES).lacking([KERNEL]) == []


def test_each_file_system_that_is_too_small_is_told_with_what_it_must_hold() -> None:
    lines = [line.replace("51200", "51199").replace("20480", "15000").replace("102400", "52000") for line in LINES]
    assert [item.detail for item in heard(*lines).lacking([KERNEL, IPROUTE2])] == [
        "/boot has 49 MiB free, and 50 MiB are needed (/boot) for linux-image-6.12.1, iproute2",
        "/ has 50 MiB free, and 54 MiB are needed (/lib, /usr) for linux-image-6.12.1, iproute2",
        "/var has 14 MiB free, and 16 MiB are needed (/var/tmp) for linux-image-6.12.1, iproute2",
    ]


def test_no_initramfs_is_counted_where_none_is_made() -> None:
    assert heard(*LINES[:2], LINES[2].replace("51200", "10240"), *LINES[3:5], LINES[6]).lacking([KERNEL]) == []


def test_a_node_that_says_nothing_of_its_room_is_not_refused() -> None:
    assert heard("have\tspace\t/boot\tdf: no such thing", LINES[-1]).lacking([KERNEL]) == []


@given(
    st.text(alphabet=st.characters(blacklist_characters="\t\n\r"), max_size=40), st.sampled_from(["space", "initrd"])
)
def test_whatever_a_node_says_is_taken_or_left(detail: str, kind: str) -> None:
    found = Offer()
    assert found.take(parse_line(f"have\t{kind}\t/boot\t{detail}")) is False
    assert all(size >= 0 for _, size in found.room.values())


def test_a_file_that_is_no_package_is_told(tmp_path: Path) -> None:
    path = tmp_path / "not.deb"
    path.write_text("nothing")
    with pytest.raises(WrongInput, match=r"not\.deb is damaged"):
        unpacked(Deb(path, KERNEL.package))
