"""Brings files over HTTP: gone on with after a break, asked for again with growing pauses, never taken in part."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

from mplskit import __version__, files
from mplskit.errors import Failure, OutsideFailed, WrongInput
from mplskit.patience import Passing
from mplskit.progress import note, step
from mplskit.sources.network_reason import passes, reason
from mplskit.sources.network_settings import Network
from mplskit.sources.server_patience import Unsteady, asked_patiently, retry_after
from mplskit.sources.slow_connections import Leash, leashed

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 16
# A list is some hundred KiB; the largest archive of a kernel was 150 MiB in 2025.
LONGEST_TEXT = 32 << 20
LONGEST_FILE = 2 << 30
TOLD_EVERY = 10.0
# Bytes a second, on an average of twice the timeout: with less an archive would take days.
SLOWEST = 1 << 10


class NotThere(OutsideFailed):
    """The server says that there is no such file (404, 410)."""


@dataclass(frozen=True)
class _Begun:
    """What is needed to go on with a file: its address, the ETag or date that says it is the same, its size."""

    url: str
    validator: str
    size: int


def download(url: str, target: Path, unfinished: Path, network: Network) -> None:
    """Bring a file to `target`, whole. What came before a break stays in the folder `unfinished`, and is gone on with.

    Raises NotThere, OutsideFailed (refused, broken too often), MachineLacks (no space).
    """
    partial = unfinished / f"{target.name}.partial"
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        with step(f"fetching {target.name}"), files.full_disk_told(partial.parent):
            asked_patiently(network, url, lambda: _go_on(url, partial, network))
            partial.replace(target)
            discard(partial)
    except Unsteady as error:
        begun = _begun(partial, url)
        if not begun or not partial.stat().st_size:
            discard(partial)
            raise
        error.hint = f"the next run goes on where this one broke off; {error.hint}"
        raise
    except Failure:
        discard(partial)
        raise


def discard(partial: Path) -> None:
    """Forget what came of a file."""
    _note_of(partial).unlink(missing_ok=True)
    partial.unlink(missing_ok=True)


def text_of(url: str, network: Network) -> str:
    """The text of a small file. Raises as `download` does."""

    def attempt() -> str:
        with _asked(url, network, {}) as (response, leash):
            _demand_success(response, url)
            content = bytearray()
            for chunk in _chunks(response, leash, network):
                content += chunk
                if len(content) > LONGEST_TEXT:
                    raise OutsideFailed(
                        f"{url} is longer than {LONGEST_TEXT >> 20} MiB: this is not the list it should be"
                    )
            size = _length(response)
            if size is not None and len(content) != size:
                raise Passing(f"broke off after {len(content):,} of {size:,} bytes")
            return content.decode(errors="replace")

    return asked_patiently(network, url, attempt)


def is_there(url: str, network: Network) -> bool:
    """Whether the server has a file. Raises as `download` does."""

    def attempt() -> bool:
        with _asked(url, network, {}, "HEAD") as (response, _):
            try:
                _demand_success(response, url)
            except NotThere:
                return False
            return True

    return asked_patiently(network, url, attempt)


def _go_on(url: str, partial: Path, network: Network) -> None:
    """One attempt at the whole rest of a file. Raises Passing when it may go better next time."""
    begun = _begun(partial, url)
    have = partial.stat().st_size if begun else 0
    headers = {"Range": f"bytes={have}-", "If-Range": begun.validator} if begun and have else {}
    with _asked(url, network, headers) as (response, leash):
        size = _length(response)
        if headers and response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if response.headers.get("Content-Range") == f"bytes */{have}":
                return
            discard(partial)
            raise Passing("the server's file is another than the one that was begun")
        _demand_success(response, url)
        if headers and response.status_code == HTTPStatus.PARTIAL_CONTENT:
            first, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
            if first.partition("-")[0] != str(have) or total not in (str(begun.size if begun else 0), "*"):
                discard(partial)
                raise Passing("the server sent another part than the one that was asked for")
            size = begun.size if begun else None
            note(f"… {partial.stem}: going on after {have:,} bytes")
        else:
            have = 0
            discard(partial)
            partial.touch()
            _remember(partial, url, response, size)
        if size is not None and size > LONGEST_FILE:
            raise _too_long(url)
        files.need_space(partial.parent, (size or 0) - have, f"fetching {partial.stem}")
        with partial.open("ab", buffering=0) as file:
            for chunk in _told(_chunks(response, leash, network, have, size), partial.stem, have, size):
                file.write(chunk)
                if file.tell() > LONGEST_FILE:
                    raise _too_long(url)
    got = partial.stat().st_size
    if size is not None and got != size:
        if got > size:
            discard(partial)
        raise Passing(f"broke off after {got:,} of {size:,} bytes")


def _told(chunks: Iterator[bytes], name: str, have: int, size: int | None) -> Iterator[bytes]:
    """The chunks, with a note now and then about how far it is."""
    told = time.monotonic()
    for chunk in chunks:
        have += len(chunk)
        if size and time.monotonic() - told > TOLD_EVERY:
            told = time.monotonic()
            note(f"… {name}: {100 * have // size} % of {size >> 20} MiB")
        yield chunk


@contextmanager
def _asked(
    url: str, network: Network, headers: Mapping[str, str], method: str = "GET"
) -> Iterator[tuple["requests.Response", Leash]]:
    """The server's answer, before its body came. Raises Passing, OutsideFailed, WrongInput."""
    import requests

    class Session(requests.Session):
        def get_redirect_target(self, resp: requests.Response) -> str | None:
            target = super().get_redirect_target(resp)
            if target and resp.url.startswith("https:") and target.lower().startswith("http:"):
                raise OutsideFailed(
                    f"{url}: the server sends us on to {target}, without encryption",
                    hint="name another mirror: MPLSKIT_KERNEL_MIRROR",
                )
            return target

    own = {"User-Agent": f"mplskit/{__version__}", "Accept-Encoding": "identity", **headers}
    with Session() as session, leashed(session, 2 * network.timeout) as leash:
        try:
            response = session.request(
                method, url, headers=own, stream=True, timeout=network.timeout, auth=network.login(url)
            )
        except requests.exceptions.InvalidProxyURL as error:
            raise WrongInput(f"the proxy of this machine is no address: {error}", hint="look at https_proxy") from None
        except requests.RequestException as error:
            _demand_held(leash)
            why = reason(error, network.timeout)
            if passes(error):
                raise Passing(why) from None
            raise OutsideFailed(f"{url} could not be fetched: {why}", hint=_not_passing(why)) from None
        with response:
            # Where a head ends early it is taken for whole.
            _demand_held(leash)
            leash.given()
            yield response, leash


def _demand_held(leash: Leash) -> None:
    if leash.cut:
        raise Passing(f"no whole answer came in {leash.seconds:g} s")


def _chunks(
    response: "requests.Response", leash: Leash, network: Network, have: int = 0, size: int | None = None
) -> Iterator[bytes]:
    """The body as it comes, undecoded. Raises Passing when it breaks off."""
    from urllib3.exceptions import HTTPError

    begin, came = time.monotonic(), 0
    try:
        # As it comes: a whole CHUNK could take for ever.
        while chunk := response.raw.read1(CHUNK, decode_content=False):
            leash.given()
            have += len(chunk)
            came += len(chunk)
            seconds = time.monotonic() - begin
            if seconds > 2 * network.timeout:
                if came < SLOWEST * seconds:
                    raise Passing(f"broke off after {have:,} bytes: no more than {came:,} came in {seconds:.0f} s")
                begin, came = time.monotonic(), 0
            yield chunk
    except (HTTPError, OSError) as error:
        whole = f" of {size:,}" if size is not None else ""
        why = f"no more came in {leash.seconds:g} s" if leash.cut else reason(error, network.timeout)
        raise Passing(f"broke off after {have:,}{whole} bytes: {why}") from None
    if leash.cut:
        raise Passing(f"broke off after {have:,} bytes: no more came in {leash.seconds:g} s")


def _demand_success(response: "requests.Response", url: str) -> None:
    code = response.status_code
    if code in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    try:
        said = f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        said = str(code)
    if code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        raise NotThere(
            f"{url} is not there ({said})",
            hint="invoke kernel.list shows what is offered; a mirror (MPLSKIT_KERNEL_MIRROR) may lack some of it",
        )
    if code >= 500 or code in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT):
        raise Passing(f"the server says {said}", retry_after(response.headers.get("Retry-After"), time.time()))
    raise OutsideFailed(
        f"{url}: the server says {said}",
        hint="look at this machine's proxy (https_proxy), or name another mirror: MPLSKIT_KERNEL_MIRROR",
    )


def _not_passing(why: str) -> str:
    if why.startswith("TLS"):
        return "look at this machine's clock and its ca-certificates; a proxy that opens TLS needs REQUESTS_CA_BUNDLE"
    return "look at MPLSKIT_KERNEL_MIRROR and MPLSKIT_KERNEL_RELEASES"


def _length(response: "requests.Response") -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 16 else None


def _too_long(url: str) -> OutsideFailed:
    return OutsideFailed(f"{url} is longer than {LONGEST_FILE >> 30} GiB: this is not the archive it should be")


def _remember(partial: Path, url: str, response: "requests.Response", size: int | None) -> None:
    """Note what it takes to go on later; a server that says too little for that gets asked for the whole again."""
    tag = response.headers.get("ETag", "")
    # If-Range knows strong validators alone.
    validator = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    if validator and size:
        files.write_atomically(_note_of(partial), json.dumps({"url": url, "validator": validator, "size": size}))


def _begun(partial: Path, url: str) -> _Begun | None:
    """What is known of a file that was begun; nothing when it came from elsewhere, or cannot be gone on with."""
    try:
        noted = json.loads(_note_of(partial).read_text())
        begun = _Begun(str(noted["url"]), str(noted["validator"]), int(noted["size"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return begun if begun.url == url and partial.exists() and partial.stat().st_size <= begun.size else None


def _note_of(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")
