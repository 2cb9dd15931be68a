import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.kernel.package_naming import check_revision, check_suffix


@pytest.mark.parametrize(
    "text",
    ["1", "1.mpls", "1.MPLS", "20.04", "2~rc1", "1+b1", "1:1.mpls", "1-2", "1.mpls-2", "6.1.192-1", "1-2-3", "0"],
)
def test_a_revision_that_both_builders_take_is_taken(text: str) -> None:
    assert check_revision(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "mpls1", "1_mpls", "1-mpls", "1-", "-1", "1 2", "1\n", ".1", "~1", "v1", "1:", ":1", "a:1", "1:2:3", "1-2-x",
     "1/2", "1;reboot", "$(id)", "é", "1é", "١", "1²", "１"],
)  # fmt: skip
def test_a_revision_that_a_builder_would_refuse_is_refused_before_any_work(text: str) -> None:
    with pytest.raises(WrongInput) as refused:
        check_revision(text)
    assert refused.value.message == f"--revision {text!r}: not a version that both builders take"


@pytest.mark.parametrize("text", ["-mpls", "-mpls-1a2b3c4d", ".1", "+x", "a", "1", "-" * 40])
def test_a_suffix_that_both_builders_take_is_taken(text: str) -> None:
    assert check_suffix(text) == text


@pytest.mark.parametrize("text", ["-MPLS", "-mpls_1", "-mpls ", "-é", "a\n", "~1", "a:b", "../x", "-١", "-" * 41])
def test_a_suffix_that_a_builder_would_refuse_is_refused_before_any_work(text: str) -> None:
    with pytest.raises(WrongInput) as refused:
        check_suffix(text)
    assert refused.value.message == f"--suffix {text!r}: not a suffix that both builders take"


# What make-kpkg 13.018 itself checks; whatever we take must pass there.
KPKG_REVISION = re.compile(r"^([0-9]+:)?[0-9][a-zA-Z0-9~.+-]*$")
KPKG_SUFFIX = re.compile(r"^[a-z0-9.+-]+$")
LIKELY = string.ascii_letters + string.digits + "~.+-:_ \n"


@given(st.text(st.sampled_from(LIKELY) | st.characters(), max_size=12))
def test_no_revision_is_taken_that_make_kpkg_refuses(text: str) -> None:
    try:
        check_revision(text)
    except WrongInput:
        return
    assert KPKG_REVISION.fullmatch(text)
    assert all(part[:1].isdigit() for part in text.split("-"))


@given(st.text(st.sampled_from(LIKELY) | st.characters(), max_size=45))
def test_no_suffix_is_taken_that_make_kpkg_refuses(text: str) -> None:
    try:
        check_suffix(text)
    except WrongInput:
        return
    assert KPKG_SUFFIX.fullmatch(text) and len(text) <= 40
