from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.sources.source_spec import ArchiveFile, Debian, Git, KernelOrg, Spec, Tree, parse_spec

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("debian", Debian()),
        ("file:linux.tar.xz", ArchiveFile(Path("linux.tar.xz"))),
        ("file:/a b/linux.tar", ArchiveFile(Path("/a b/linux.tar"))),
        (f"file:l.tar#sha256={HEX}", ArchiveFile(Path("l.tar"), HEX)),
        (f"file:l.tar#sha256={HEX.upper()}", ArchiveFile(Path("l.tar"), HEX)),
        ("tree:../linux", Tree(Path("../linux"))),
        ("tree:/usr/src/c#", Tree(Path("/usr/src/c#"))),
        ("file:a:b.tar", ArchiveFile(Path("a:b.tar"))),
        ("debian:trixie", Debian("trixie")),
        ("debian:unstable/6.12", Debian("unstable", "6.12")),
        ("debian:bookworm/6.1.148-1~deb12u1", Debian("bookworm", "6.1.148-1~deb12u1")),
        ("kernel.org:6.12", KernelOrg("6.12")),
        ("kernel.org:6.13-rc2", KernelOrg("6.13-rc2")),
        ("kernel.org:longterm", KernelOrg("longterm")),
        ("git+https://git.kernel.org/linux.git@v6.13-rc2", Git("https://git.kernel.org/linux.git", "v6.13-rc2")),
        ("git+ssh://git@example.org/a/linux.git@mpls/next", Git("ssh://git@example.org/a/linux.git", "mpls/next")),
        ("git+https://example.org:8443/linux@" + "ab" * 20, Git("https://example.org:8443/linux", "ab" * 20)),
        ("git+file:///srv/git/linux.git@master", Git("file:///srv/git/linux.git", "master")),
    ],
)
def test_a_source_is_read_as_users_write_it(text: str, spec: Spec) -> None:
    assert parse_spec(text) == spec


@pytest.mark.parametrize(
    "text",
    ["", "debian:", "debian:Trixie", "debian:woody", "debian:trixie/", "debian:trixie/next", "Debian",
     "file", "file:", "tree:", "file:#sha256=" + HEX, "file:a#md5=1",
     "file:a#sha256=", f"file:a#sha256={HEX[1:]}", f"file:a#sha256={HEX}0", "kernel.org:", "kernel.org:6.12/x",
     "/usr/src/linux",
     "kernel.org:6.12\n", "git+https://example.org/linux.git", "git+https://example.org/linux.git@", "git+https://@v1",
     "git+https://example.org/linux.git@--upload-pack=x", "git+https://example.org/linux.git@a b",
     "git+ext::sh -c x@v1", "git+example.org:linux.git@v1", "git:https://example.org/linux.git@v1",
     "git+https://example.org/linux.git@v1*",
     "https://example.org/linux.tar.xz"],
)  # fmt: skip
def test_anything_else_is_refused_and_repeated(text: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_spec(text)
    assert refused.value.message.startswith(f"source {text!r}: ")


@pytest.mark.parametrize("login", ["me:secret", "secret", ":secret"])
def test_a_password_in_an_address_is_refused_and_not_repeated(login: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_spec(f"git+https://{login}@example.org/linux.git@v1")
    assert "there is a password in the address" in refused.value.message
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", ["file:a.tar", "kernel.org:6.12", "git+https://example.org/linux.git@v1"])
def test_taking_a_source_unverified_is_said_apart_from_it(text: str) -> None:
    spec = parse_spec(text, insecure=True)
    assert not isinstance(spec, Debian | Tree)
    assert (spec.insecure, str(spec)) == (True, text)


GIT = st.builds(
    "git+{}://{}{}/{}@{}".format,
    st.sampled_from(["https", "http", "ssh", "git", "file"]),
    st.sampled_from(["", "git@", "me:x@"]),
    st.text("ab.:-@", max_size=8),
    st.text("ab/.@#~ ", max_size=8),
    st.text("v1.-/+@é ", max_size=8),
)
SOURCES = st.one_of(
    GIT,
    st.text(max_size=40),
    st.builds(
        "{}:{}".format,
        st.sampled_from(["file", "tree", "debian", "debian:trixie/", "kernel.org", "git+https"]),
        st.text(max_size=40),
    ),
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
