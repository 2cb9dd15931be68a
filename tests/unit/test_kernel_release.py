import pytest

from mplskit.errors import WrongInput
from mplskit.kernel.release import Part, demand


def refused(*texts: str, of_git: str = "") -> WrongInput:
    with pytest.raises(WrongInput) as told:
        demand("".join(texts) + of_git, [Part(text, f"piece {number}") for number, text in enumerate(texts)])
    return told.value


@pytest.mark.parametrize("release", ["6.1.192-mpls-1a2b3c4d", "6.12.0-rc1+", "7.2.13" + "-" * 58])
def test_a_release_that_a_kernel_and_a_package_can_bear_is_taken(release: str) -> None:
    demand(release, [])


@pytest.mark.parametrize("letter", ["A", "_", "~", " ", "/", ":", "é", "\t", "\n", "'", "٣"])
def test_a_letter_that_no_package_can_bear_is_named_with_its_piece_alone(letter: str) -> None:
    told = refused("6.1.192", f"-a{letter}b", "-x")
    assert told.detail.startswith(repr(f"-a{letter}b")) and f"{letter!r} cannot stand there" in told.detail
    assert "piece 1" in told.detail and "piece 0" not in told.detail and "piece 2" not in told.detail


def test_the_length_counts_bytes_as_the_kernel_does_and_what_git_adds_is_named() -> None:
    told = refused("6.1.192", "", "-" * 40, of_git="-00012-g0123456789ab")
    assert told.message.endswith(": 67 characters, and the kernel takes 64")
    assert told.detail.splitlines() == [
        "'6.1.192' is piece 0",
        f"'{'-' * 40}' is piece 2",
        "'-00012-g0123456789ab' is what git says of the tree (--set LOCALVERSION_AUTO=n leaves it out)",
    ]
