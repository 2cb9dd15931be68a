"""Why a transfer failed, in words: out of the chain of exceptions that requests and urllib3 raise."""

import errno
import os
import ssl
from collections.abc import Iterator


def passes(error: BaseException) -> bool:
    """Whether the failure of a request may be over soon: not so with certificates, nor with what is no address."""
    from requests import exceptions

    if isinstance(error, exceptions.SSLError):
        return False
    return isinstance(error, exceptions.ConnectionError | exceptions.Timeout | exceptions.ChunkedEncodingError)


def reason(error: BaseException, timeout: float) -> str:
    """A failure of requests, urllib3 or the system in few words, the same each time; `timeout` is what was allowed."""
    from requests import exceptions
    from urllib3 import exceptions as low

    chain = list(_chain(error))
    if any(isinstance(one, exceptions.SSLError | low.SSLError) for one in chain):
        return f"TLS: {_deepest(chain)}"
    words: list[tuple[type[BaseException], str]] = [
        (low.NameResolutionError, "the name of the server is not known here"),
        # A refused connection counts as a ConnectTimeoutError, too.
        (low.NewConnectionError, ""),
        (low.ConnectTimeoutError, f"no connection within {timeout:g} s"),
        (low.ReadTimeoutError, f"nothing came for {timeout:g} s"),
        (low.IncompleteRead, "the connection was closed"),
    ]
    said = next((text for kind, text in words for one in chain if isinstance(one, kind)), "") or _deepest(chain)
    through = any(isinstance(one, exceptions.ProxyError | low.ProxyError) for one in chain)
    return f"the proxy: {said}" if through else said


def _deepest(chain: list[BaseException]) -> str:
    """What the first cause says of itself, or the system says for it."""
    for one in chain:
        # The numbers of ssl are its own.
        if isinstance(one, OSError) and not isinstance(one, ssl.SSLError) and one.errno in errno.errorcode:
            return os.strerror(one.errno or 0)
    said = [str(one) for one in chain if str(one) and " object at 0x" not in str(one)]
    return said[-1] if said else type(chain[-1]).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and those that it carries, outermost first."""
    seen: list[BaseException] = []
    ahead: list[BaseException] = [error]
    while ahead:
        one = ahead.pop(0)
        if any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        inside = [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]
        ahead += [other for other in inside if isinstance(other, BaseException)]
