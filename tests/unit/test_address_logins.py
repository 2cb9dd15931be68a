"""No password of an address is shown or written down, wherever it came from."""

from pathlib import Path

import pytest

from mplskit import process, progress
from mplskit.address_logins import bare, masked
from mplskit.debian.archives import Archive
from mplskit.debian.system_tree import forget_logins
from mplskit.errors import BuildFailed, NotSo, WrongInput
from mplskit.sources.source_spec import parse_spec

SECRET = "http://ann:s3cret@mirror.example/debian"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "see http://a:b@c/ and https://tok@d:1/x@y",
            "see http://********@c/ and https://********@d:1/x@y",
        ),
        ("deb tor+http://a:b@c@d/debian sid main", "deb tor+http://********@d/debian sid main"),
        ("git+https://a:b@c/x.git@v1", "git+https://********@c/x.git@v1"),
        ("https:/a:b@c/x", "https:/********@c/x"),
        ("HTTP://a:b@c", "HTTP://********@c"),
        ("ssh://git:b@c/x", "ssh://git:********@c/x"),
        ("socks5h://a:b@c:1080", "socks5h://a:********@c:1080"),
        # There is nothing to hide in these.
        ("git+ssh://git@c/x@v1", "git+ssh://git@c/x@v1"),
        ("tree:/home/a@b", "tree:/home/a@b"),
        ("https://c/x@v1 of ann@example.org", "https://c/x@v1 of ann@example.org"),
    ],
)
def test_logins_are_masked_and_nothing_else_is(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


def test_an_address_without_its_login_is_the_same_place() -> None:
    assert bare(f"deb {SECRET} sid main") == "deb http://mirror.example/debian sid main"


def test_no_failure_shows_a_login_in_any_of_its_parts() -> None:
    failure = NotSo(f"no {SECRET}", detail=f"apt: {SECRET}", hint=f"look at {SECRET}")
    assert str(failure).count("http://********@mirror.example/debian") == 3
    assert "s3cret" not in f"{failure!r} {failure} {failure.args}"


def test_no_note_shows_a_login(capsys: pytest.CaptureFixture[str]) -> None:
    progress.note(f"! {SECRET}: trying again")
    heard: list[str] = []
    with progress.told_to(heard.append), progress.step(f"fetching {SECRET}"):
        pass
    shown = "http://********@mirror.example/debian"
    assert capsys.readouterr().err == f"! {shown}: trying again\n"
    assert heard[0] == f"… fetching {shown}"


def test_a_log_has_the_command_without_the_login_that_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed) as failed:
        process.run(["sh", "-c", 'test "$1" = ""', "sh", SECRET], log=tmp_path / "log")
    assert "http://********@mirror.example" in failed.value.message
    assert "s3cret" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    "source",
    [
        "git+https://ann:s3cret@git.example/linux.git",
        "git+https://s3cret@v1@v2",
        "https://ann:s3cret@mirror.example/linux-6.12.tar.xz",
    ],
)
def test_a_source_that_is_none_is_told_without_its_password(source: str) -> None:
    with pytest.raises(WrongInput) as refused:
        parse_spec(source)
    assert "s3cret" not in str(refused.value)
    assert "********@" in str(refused.value)


def test_an_image_gets_no_login_of_this_machines_apt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = Archive(SECRET, "trixie", "deb")
    assert archive.shown() == "deb http://mirror.example/debian trixie main"
    apt = tmp_path / "etc/apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "sources.list").write_text(f"{archive.line()}\n")
    (apt / "sources.list.d/own.sources").write_text("Types: deb\nURIs: https://mirror.example/own\n")
    forget_logins(tmp_path)
    assert (apt / "sources.list").read_text() == "deb http://mirror.example/debian trixie main\n"
    assert (apt / "sources.list.d/own.sources").read_text() == "Types: deb\nURIs: https://mirror.example/own\n"
    assert capsys.readouterr().err == (
        "! /etc/apt/sources.list in the image is without the login that this machine's apt has: "
        "/etc/apt/auth.conf.d is the place for it (apt_auth.conf(5))\n"
    )
