import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.whole_number import whole, whole_number


@pytest.mark.parametrize("text", ["1_6", "٣", "²", "+1", " 1", "1 ", "1.0", "0x1", "", "9" * 5000])
def test_only_ascii_digits_are_a_number(text: str) -> None:
    assert whole(text, 0, 1 << 70) is None


@given(st.integers(0, 10**18))
def test_a_number_is_read_as_it_is_written(value: int) -> None:
    assert whole(str(value), 0, 10**18) == value
    assert whole(str(value), value + 1, 10**18) is None


def test_of_a_long_word_the_beginning_is_shown() -> None:
    with pytest.raises(WrongInput) as refused:
        whole_number("9" * 5000, "--jobs", 1, 1024)
    assert refused.value.message == f"--jobs {'9' * 40}…: not a whole number from 1 to 1024"
