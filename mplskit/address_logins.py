"""Addresses with a login in them: neither what is shown nor what is written down may have it."""

import re

# To a server of HTTP a name alone may be the secret. One slash is left where an address was taken for a path.
_WEB = re.compile(r"\b((?:[a-z0-9]+\+)*(?:https?|ftp):/+)[^/\s]+@", re.IGNORECASE)
_PASSWORD = re.compile(r"\b([a-z][a-z0-9+.-]*://[^/\s:@]*:)[^/\s]+@", re.IGNORECASE)


def masked(text: str) -> str:
    """A text without the passwords in its addresses; those of the web are left without a name, too."""
    if "@" not in text:
        return text
    return _PASSWORD.sub(r"\1********@", _WEB.sub(r"\1********@", text))


def bare(text: str) -> str:
    """A text whose addresses of the web have no login."""
    return _WEB.sub(r"\1", text)
