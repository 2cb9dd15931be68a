"""The kernel's own reading of its settings: which lines of a `.config` count, what they say, whether that is all.

The rules are those of conf_read_simple and conf_set_sym_val in the kernel's scripts/kconfig/confdata.c.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# So many symbols without a prompt are in every whole configuration, and in none that people or savedefconfig write.
FEWEST_WITHOUT_PROMPT = 10
_WITHOUT_PROMPT = re.compile(
    r"(?:HAVE|GENERIC|ARCH_HAS|ARCH_HAVE|ARCH_SUPPORTS|ARCH_WANT|ARCH_WANTS|ARCH_USE|CC_HAS|CC_IS|AS_HAS|LD_IS)_\w+"
)
_NAME = re.compile(r"[A-Za-z0-9_]+")
_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_HEX = re.compile(r"(?:0[xX])?[0-9a-fA-F]+")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
# What the kernel writes above a whole one, and savedefconfig does not.
_HEAD = re.compile(r"^# (?:Automatically generated (?:file; DO|make config)|Linux/\S+ \S+ Kernel Co)", re.MULTILINE)
_LAST_PART = "# end of Kernel hacking"


class Kind(StrEnum):
    """The types of symbols, as Kconfig names them."""

    BOOL = "bool"
    TRISTATE = "tristate"
    STRING = "string"
    INT = "int"
    HEX = "hex"


@dataclass(frozen=True)
class Word:
    """A line that counts: a symbol, and the text behind its `=` (`n` for `is not set`)."""

    number: int
    symbol: str
    text: str


@dataclass(frozen=True)
class Odd:
    """A line that the kernel passes over, and why."""

    number: int
    text: str
    why: str

    def __str__(self) -> str:
        return f"{self.number}: {self.text[:60]!r}: {self.why}"


def odd_lines(odd: Sequence[Odd], most: int = 5) -> list[str]:
    """What to say of lines that are passed over: the first of them, and how many more there are."""
    shown = [f"line {line}; the kernel passes it over" for line in odd[:most]]
    return [*shown, *([f"and {len(odd) - most} more such lines"] if len(odd) > most else [])]


@dataclass(frozen=True)
class DotConfig:
    """What the kernel makes of a text: `values` by symbol, `n` where it is said to be not set; a string is quoted.

    `partial` says why the text is no whole configuration; it is empty for one that is. `odd` are the lines passed over.
    """

    values: Mapping[str, str]
    odd: tuple[Odd, ...]
    partial: str

    @property
    def set(self) -> dict[str, str]:
        """The values of the symbols that are not `n`."""
        return {symbol: value for symbol, value in self.values.items() if value != "n"}

    def remarks(self, called: str, rest: str) -> list[str]:
        """What to say of it to whom it is `called`; `rest` says what becomes of what a partial one does not name."""
        partial = [f"{called} is no whole configuration: {self.partial}; {rest}"] if self.partial else []
        return [*(f"{called}: {line}" for line in odd_lines(self.odd)), *partial]


def read(text: str, kinds: Mapping[str, Kind] | None = None) -> DotConfig:
    """Read a text as the kernel does: the last line of a symbol that has a value for it wins.

    Without `kinds`, the types of the symbols, a value tells its own: `yes` is y, as for a bool. With them, symbols that
    are not in them are passed over.
    """
    values: dict[str, str] = {}
    odd: list[Odd] = []
    for line in lines(text):
        if isinstance(line, Odd):
            odd.append(line)
        elif kinds is not None and line.symbol not in kinds:
            continue
        elif (value := value_of(line.text, kinds[line.symbol] if kinds is not None else None)) is not None:
            values.pop(line.symbol, None)
            values[line.symbol] = value
        else:
            odd.append(Odd(line.number, f"CONFIG_{line.symbol}={line.text}", "no value that the kernel reads"))
    return DotConfig(values, tuple(odd), _partial(text, values))


def lines(text: str) -> Iterator[Word | Odd]:
    """The lines that name a symbol, and those that were perhaps meant to; comments and empty lines are left out."""
    ends = text.split("\n")
    for number, line in enumerate(ends, start=1):
        # The kernel takes one CR off, before a line feed only; its strings end at a NUL.
        found = parse_line(number, line.removesuffix("\r") if number < len(ends) else line)
        if found:
            yield found


def parse_line(number: int, line: str) -> Word | Odd | None:
    """A line without its end; None for a comment and an empty line."""
    line = line.partition("\0")[0]
    if not line.strip() or re.match(r"\s+#(?!.*is not set)", line):
        return None
    if line.startswith("#"):
        name, blank, rest = line.removeprefix("# CONFIG_").partition(" ")
        if line.startswith("# CONFIG_") and blank and rest == "is not set":
            return _word(number, line, name, "n")
        return _nearly_absent(number, line)
    name, equals, value = line.removeprefix("CONFIG_").partition("=")
    if line.startswith("CONFIG_") and equals:
        return _word(number, line, name, value)
    return Odd(number, line, _reason(line))


def _word(number: int, line: str, name: str, value: str) -> Word | Odd:
    if not _NAME.fullmatch(name):
        return Odd(number, line, f"{name!r} is no name of a symbol")
    return Word(number, name, value)


def _nearly_absent(number: int, line: str) -> Odd | None:
    """`# CONFIG_X is not set` with something behind it, or other blanks: kernels before 6.8 read some of these."""
    if re.match(r"#\s*CONFIG_\w+\s+is\s+not\s+set\b", line):
        return Odd(number, line, "a comment, since it is not `# CONFIG_X is not set` to the letter")
    return None


def _reason(line: str) -> str:
    if line.startswith("\ufeff"):
        return "a byte order mark stands before it"
    if line[0].isspace():
        return "a blank stands before it"
    return "it begins neither with CONFIG_ nor with #" if not line.startswith("CONFIG_") else "there is no ="


def value_of(text: str, kind: Kind | None = None) -> str | None:
    """What a symbol of this type (None: of any) becomes by the text behind `=`; None where it stays as it is."""
    match kind:
        case Kind.BOOL | Kind.TRISTATE:
            letters = ("y", "n", "m") if kind is Kind.TRISTATE else ("y", "n")
            return text[0] if text.startswith(letters) else None
        case Kind.STRING:
            found = _STRING.match(text)
            return quoted(re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL)) if found else None
        case Kind.INT:
            return text if _INT.fullmatch(text) else None
        case Kind.HEX:
            return text if _HEX.fullmatch(text) else None
        case None:
            # A hex number without 0x begins with none of y, m and n.
            every = (value_of(text, kind) for kind in (Kind.TRISTATE, Kind.STRING, Kind.INT, Kind.HEX))
            return next((value for value in every if value is not None), None)


def quoted(text: str) -> str:
    """A text as the kernel writes the value of a string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _partial(text: str, values: Mapping[str, str]) -> str:
    """Why it is no whole configuration. A savedefconfig, a fragment and what people write name what has a prompt."""
    if not values:
        return "it names no symbol"
    without_prompt = sum(1 for symbol in values if _WITHOUT_PROMPT.fullmatch(symbol))
    if without_prompt < FEWEST_WITHOUT_PROMPT and not _HEAD.search(text):
        return "it names only what was chosen, as a fragment or a savedefconfig does, and not what follows from that"
    # Since 5.5 the kernel writes where each part ends.
    if "# end of General setup" in text and _LAST_PART not in text:
        return "it is cut short: its last part, `Kernel hacking`, is not there"
    return ""
