import pytest

from mplskit.debian.apt_root import Offer
from mplskit.errors import OutsideFailed
from mplskit.sources.debian_config import nearest, series


def offers(*names: str) -> list[Offer]:
    return [Offer(f"linux-config-{name}", f"{name}.9-1", "0" * 64) for name in names]


@pytest.mark.parametrize(
    ("version", "package"),
    [
        ("6.12.48", "linux-config-6.12"),
        ("6.13.1", "linux-config-6.12"),
        ("6.9.0-rc1", "linux-config-6.1"),
        ("5.4.200", "linux-config-6.1"),
        ("7.2", "linux-config-6.12"),
    ],
)
def test_the_nearest_series_is_taken_the_one_before_first(version: str, package: str) -> None:
    assert nearest(offers("6.1", "6.12"), version).package == package


def test_no_configuration_at_all_is_told() -> None:
    with pytest.raises(OutsideFailed):
        nearest([], "6.12.48")


def test_a_series_is_the_first_two_numbers() -> None:
    assert [series(text) for text in ("6.12.48", "7.2-rc1", "linux-config-6.1", "6.13.0-rc2")] == [
        "6.12",
        "7.2",
        "6.1",
        "6.13",
    ]
