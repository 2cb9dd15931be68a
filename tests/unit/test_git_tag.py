import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import OutsideFailed
from mplskit.sources.git_tag import parse_tag

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HEAD = f"object {COMMIT}\ntype commit\ntag v6.13-rc2\ntagger A <a@example.org> 1700000000 +0000\n\n".encode()
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n"


@pytest.mark.parametrize(
    ("message", "signature", "scheme"),
    [
        (b"Linux 6.13-rc2\n", SIGNATURE, "PGP SIGNATURE"),
        (b"Linux 6.13-rc2\n", b"-----BEGIN SSH SIGNATURE-----\nAA==\n", "SSH SIGNATURE"),
        (b"Linux 6.13-rc2\n", b"", ""),
        (b"it says -----BEGIN PGP SIGNATURE----- inside\n", b"", ""),
        # git takes the last one: what stands before it is signed.
        (b"quoted:\n" + SIGNATURE, SIGNATURE, "PGP SIGNATURE"),
    ],
)
def test_a_tag_is_what_was_signed_and_its_signature(message: bytes, signature: bytes, scheme: str) -> None:
    tag = parse_tag(HEAD + message + signature, "it")
    assert (tag.name, tag.kind, tag.target) == ("v6.13-rc2", "commit", COMMIT)
    assert (tag.payload, tag.signature, tag.scheme) == (HEAD + message, signature, scheme)


@pytest.mark.parametrize("raw", [b"", HEAD[1:], b"\n" + HEAD, HEAD.replace(b"type commit\n", b""), b"tree " + HEAD])
def test_what_git_would_not_write_is_no_tag(raw: bytes) -> None:
    with pytest.raises(OutsideFailed, match="it is no tag that git would write"):
        parse_tag(raw, "it")


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(lambda end: HEAD + end + SIGNATURE)))
def test_no_bytes_do_more_than_be_refused_and_none_get_lost(raw: bytes) -> None:
    try:
        tag = parse_tag(raw, "it")
    except OutsideFailed:
        return
    assert tag.payload + tag.signature == raw
