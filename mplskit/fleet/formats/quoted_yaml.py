"""YAML that every reader takes for the same: text is always in double quotes, whatever it looks like."""

from collections.abc import Iterator, Mapping, Sequence

_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


class Unsafe(str):
    """Text in which Ansible looks for no template."""

    __slots__ = ()


def quoted(text: str) -> str:
    """Text in double quotes, in ASCII: the same for YAML 1.1, YAML 1.2 and Python."""
    return '"' + "".join(_character(character) for character in text) + '"'


def yaml_of(value: Mapping[str, object] | Sequence[object]) -> str:
    """Mappings and lists of text, whole numbers and truth values as YAML, one value a line."""
    return "".join(f"{line}\n" for line in _lines(value))


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            name = key if key.isascii() and key.isidentifier() and "_" in key else quoted(key)
            yield from _entry(f"{name}:", below)
    elif isinstance(value, list | tuple) and value:
        for below in value:
            yield from _entry("-", below)
    else:
        yield _scalar(value)


def _entry(head: str, value: object) -> Iterator[str]:
    if not (isinstance(value, Mapping | list | tuple) and value):
        yield f"{head} {_scalar(value)}"
        return
    yield head
    yield from (f"  {line}" for line in _lines(value))


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    if isinstance(value, int):
        return str(value)
    return f"!unsafe {quoted(value)}" if isinstance(value, Unsafe) else quoted(str(value))


def _character(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
