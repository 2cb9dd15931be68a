from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.sources.spec import Archive, Debian, Spec, Tree, parse_spec

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("debian", Debian()),
        ("file:linux.tar.xz", Archive(Path("linux.tar.xz"))),
        ("file:/a b/linux.tar", Archive(Path("/a b/linux.tar"))),
        (f"file:l.tar#sha256={HEX}", Archive(Path("l.tar"), HEX)),
        (f"file:l.tar#sha256={HEX.upper()}", Archive(Path("l.tar"), HEX)),
        ("tree:../linux", Tree(Path("../linux"))),
        ("tree:/usr/src/c#", Tree(Path("/usr/src/c#"))),
        ("file:a:b.tar", Archive(Path("a:b.tar"))),
    ],
)
def test_a_source_is_read_as_users_write_it(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    "text",
    ["", "debian:", "debian:trixie", "Debian", "file", "file:", "tree:", "file:#sha256=" + HEX, "file:a#md5=1",
     "file:a#sha256=", f"file:a#sha256={HEX[1:]}", f"file:a#sha256={HEX}0", "kernel.org:6.12", "/usr/src/linux",
     "https://example.org/linux.tar.xz"],
)  # fmt: skip
def test_anything_else_is_refused_and_repeated(text: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_spec(text)
    assert refused.value.message.startswith(f"source {text!r}: ")


SOURCES = st.one_of(
    st.text(max_size=40),
    st.builds("{}:{}".format, st.sampled_from(["file", "tree", "debian", "git"]), st.text(max_size=40)),
    st.builds(
        "file:{}#sha256={}".format, st.text(max_size=9), st.text("0123456789abcdefABCDEF", min_size=63, max_size=65)
    ),
)


@given(SOURCES)
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        spec = parse_spec(text)
    except WrongInput:
        return
    assert parse_spec(str(spec)) == spec
