"""Signatures as gpgv's status lines tell them, the pinned keys, and the waits between two tries."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit import paths
from mplskit.errors import WrongInput
from mplskit.patience import pause
from mplskit.sources.keys import Key, parse_keys, parse_validity, pinned
from mplskit.sources.network_settings import Network, network
from mplskit.sources.server_patience import retry_after
from mplskit.sources.signature import Fault, Signer, signer_of

ADA, SUB, EVE = "A" * 40, "B" * 40, "E" * 40
OWNERS = {ADA: "Ada", EVE: "Eve"}
VALID = f"VALIDSIG {SUB} 2025-11-14 1763158400 0 4 0 22 10 00 {ADA}"


def status(*lines: str) -> str:
    return "".join(f"[GNUPG:] {line}\n" for line in lines)


def test_a_good_signature_by_a_subkey_is_that_of_the_pinned_primary_key() -> None:
    said = status("NEWSIG", f"KEY_CONSIDERED {ADA} 0", "SIG_ID x 2025-11-14 1", f"GOODSIG {SUB[-16:]} Ada", VALID)
    assert signer_of(said, OWNERS) == Signer(ADA, "Ada", SUB)


@pytest.mark.parametrize(
    ("lines", "fault", "about"),
    [
        ((f"BADSIG {ADA[-16:]} Ada <ada@kernel.test>",), Fault.BAD, f"{ADA} (Ada)"),
        ((f"EXPKEYSIG {SUB[-16:]} Ada", VALID), Fault.EXPIRED_KEY, f"{ADA} (Ada)"),
        ((f"REVKEYSIG {SUB[-16:]} Ada", VALID), Fault.REVOKED_KEY, f"{ADA} (Ada)"),
        ((f"EXPSIG {SUB[-16:]} Ada", VALID), Fault.EXPIRED, f"{ADA} (Ada)"),
        (("ERRSIG C0FFEE 22 10 00 1763158400 9 -", "NO_PUBKEY C0FFEE"), Fault.UNKNOWN_KEY, "C0FFEE"),
        ((f"ERRSIG C0FFEE 22 10 00 1763158400 9 {'C' * 40}", "NO_PUBKEY C0FFEE"), Fault.UNKNOWN_KEY, "C" * 40),
        (("ERRSIG C0FFEE 99 10 00 1763158400 4 -",), Fault.UNREADABLE, "C0FFEE"),
        (("NODATA 4",), Fault.NONE, ""),
        ((), Fault.NONE, ""),
        # A good one does not make up for a bad one beside it.
        ((f"GOODSIG {SUB[-16:]} Ada", VALID, "BADSIG C0FFEE Sam"), Fault.BAD, f"{ADA} (Ada)"),
        # Good by itself, but of a key that nobody pinned.
        (("GOODSIG C0FFEE Sam", VALID.replace(ADA, "C" * 40)), Fault.UNKNOWN_KEY, "C" * 40),
        # Either line alone is not enough.
        ((VALID,), Fault.NONE, ""),
        ((f"GOODSIG {SUB[-16:]} Ada",), Fault.NONE, ""),
    ],
)
def test_a_signature_that_does_not_count_has_its_reason(lines: tuple[str, ...], fault: Fault, about: str) -> None:
    assert signer_of(status(*lines), OWNERS) == (fault, about)


def test_words_that_are_no_status_lines_prove_nothing() -> None:
    said = f"gpgv: Good signature from Ada\nGOODSIG {ADA} Ada\n{VALID}\n [GNUPG:] GOODSIG {ADA} Ada\n"
    assert signer_of(said, OWNERS) == (Fault.NONE, "")


WORDS = st.sampled_from(
    ["GOODSIG", "VALIDSIG", "BADSIG", "ERRSIG", "NO_PUBKEY", "KEYEXPIRED", "EXPKEYSIG", ADA, "9", ""]
)


@given(st.lists(st.lists(WORDS, max_size=12).map(" ".join)).map(lambda lines: status(*lines)) | st.text())
def test_any_status_is_judged(said: str) -> None:
    judged = signer_of(said, OWNERS)
    if isinstance(judged, Signer):
        assert (judged.fingerprint, judged.owner) == (ADA, "Ada") and "BADSIG" not in said.split()


@given(st.lists(st.sampled_from(["pub:", "sub:", "fpr:", "uid:", "sec:"]).flatmap(lambda k: st.text().map(k.__add__))))
def test_any_listing_of_keys_is_read(lines: list[str]) -> None:
    assert len(parse_keys("\n".join(lines))) <= "\n".join(lines).count("pub:")
    parse_validity("\n".join(lines))


def test_a_key_is_its_primary_fingerprint_and_the_name_of_its_first_user() -> None:
    listing = (
        "pub:-:4096:1:38DBBDC86092693E:1316795861:::-:::scESC::::::23::0:\nfpr:::::::::" + ADA + ":\n"
        "uid:-::::1::X::Ada \\x3a Lovelace (a key, a comment) <ada@kernel.test>::::::::::0:\nuid:-::::1::X::Other::\n"
        "sub:-:4096:1:F38153E276D54749:1316795861::::::e::::::23:\nfpr:::::::::" + SUB + ":\n"
    )
    assert parse_keys(listing) == [(ADA, "Ada : Lovelace")]


def test_the_keys_of_the_repository_are_those_they_are_named_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MPLSKIT_KEYS", raising=False)
    found = {kind: pinned(kind) for kind in ("linux", "iproute2", "checksums")}
    folder = paths.data("keys")
    linux = {
        "647F28654894E3BD457199BE38DBBDC86092693E": "Greg Kroah-Hartman",
        "ABAF11C65A2970B130ABE3C479BE3E4300411886": "Linus Torvalds",
        "E27E5D8A3403A2EF66873BBCDEA66FF797772CDC": "Sasha Levin",
    }
    assert found == {
        "linux": tuple(Key(key, owner, folder / "linux" / f"{key}.asc") for key, owner in linux.items()),
        "iproute2": (
            Key(
                "9F6FC345B05BE7E766B83C8F80A77F6095CDE47E",
                "Stephen Hemminger",
                folder / "iproute2" / "9F6FC345B05BE7E766B83C8F80A77F6095CDE47E.asc",
            ),
        ),
        "checksums": (),
    }


def test_every_pinned_key_is_explained() -> None:
    told = (paths.data("keys") / "README.md").read_text()
    files = {f"{file.parent.name}/{file.name}" for file in paths.data("keys").glob("*/*.asc")}
    assert files == set(re.findall(r"(?m)^\| `([a-z0-9]+/[0-9A-F]{40}\.asc)` \|", told))


@pytest.mark.parametrize("content", [b"", b"not a key\n", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!\n"])
def test_a_file_that_holds_no_key_is_refused(content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "linux").mkdir()
    (tmp_path / "linux" / f"{ADA}.asc").write_bytes(content)
    monkeypatch.setenv("MPLSKIT_KEYS", str(tmp_path))
    with pytest.raises(WrongInput, match="holds 0 public keys"):
        pinned("linux")


def test_two_keys_in_one_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "linux").mkdir()
    both = b"".join(file.read_bytes() for file in sorted((paths.data("keys") / "linux").glob("*.asc"))[:2])
    (tmp_path / "linux" / "647F28654894E3BD457199BE38DBBDC86092693E.asc").write_bytes(both)
    monkeypatch.setenv("MPLSKIT_KEYS", str(tmp_path))
    with pytest.raises(WrongInput, match="holds 2 public keys"):
        pinned("linux")


def test_pauses_grow_to_a_minute_and_are_spread_and_never_shorter_than_asked() -> None:
    settings = Network(wait=2)
    assert [pause(number, settings.wait, 0, 1) for number in range(1, 8)] == [2, 4, 8, 16, 32, 60, 60]
    assert [pause(number, settings.wait, 0, 0) for number in range(1, 4)] == [1, 2, 4]
    assert pause(1, settings.wait, 17, 0.5) == 17
    assert pause(1000, settings.wait, 0, 1) == 60


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("120", 120),
        ("-5", 0),
        ("soon", 0),
        ("Tue, 14 Nov 2023 22:15:20 GMT", 120),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0),
        ("9" * 400, 999_999_999),
    ],
)
def test_a_server_says_when_to_come_again_in_seconds_or_by_a_date(header: str | None, seconds: float) -> None:
    assert retry_after(header, 1_700_000_000) == seconds


@given(st.text())
def test_any_header_is_a_wait(header: str) -> None:
    assert retry_after(header, 1_700_000_000) >= 0


def test_the_settings_have_defaults_and_an_empty_one_is_none() -> None:
    assert network({}) == network({"MPLSKIT_KERNEL_MIRROR": "", "MPLSKIT_NETWORK_TRIES": ""})
    assert network({}) == Network("https://cdn.kernel.org/pub/linux", "https://www.kernel.org/releases.json", 30, 5, 2)
    assert network({"MPLSKIT_KERNEL_MIRROR": "https://m:8443/linux/"}).mirror == "https://m:8443/linux"


SETTINGS = ("KERNEL_MIRROR", "KERNEL_RELEASES", "NETWORK_TIMEOUT", "NETWORK_TRIES", "NETWORK_WAIT")


@given(st.sampled_from(SETTINGS), st.text() | st.sampled_from(["nan", "inf", "1e999", "http://[", "https://a:99999"]))
def test_any_setting_is_taken_or_refused(name: str, value: str) -> None:
    try:
        made = network({f"MPLSKIT_{name}": value})
    except WrongInput as error:
        assert str(error).startswith(f"error: MPLSKIT_{name}=")
        return
    assert 0.1 <= made.timeout <= 3600 and 1 <= made.tries <= 100 and 0 <= made.wait <= 3600
