"""What Kconfig asks of the compiler and its companions (scripts/Kconfig.include); no setting changes the answers."""

import re
from pathlib import Path
from typing import Any

from mplskit.config.explain.blocks import block_at

# A call of a macro, such as $(cc-option,-mfoo); $(ARCH) and other variables are in capitals.
_CALL = re.compile(r"\$\([a-z][\w-]*")


def probe(tree: Path, symbol: Any) -> str:
    """The line of a symbol's Kconfig block that asks a tool, or an empty text."""
    for node in symbol.nodes:
        lines = Path(tree, node.filename).read_text(errors="replace").split("\n")
        for line in block_at(lines, node.linenr - 1).replace("\\\n", " ").split("\n"):
            if _CALL.search(line):
                return " ".join(line.split())
    return ""


def answering(kconfig: Any, line: str) -> str:
    """The tool that such a line asks, with its version, as people call it."""

    def value(name: str) -> str:
        symbol = kconfig.syms.get(name)
        return symbol.str_value if symbol is not None and symbol.nodes else ""

    if re.search(r"rust|bindgen", line, re.IGNORECASE):
        return value("RUSTC_VERSION_TEXT") or "the Rust compiler, which is not there,"
    if re.search(r"pahole", line, re.IGNORECASE):
        version = value("PAHOLE_VERSION")
        return f"pahole {version[0]}.{version[1:]}" if version.strip("0") else "pahole, which is not there,"
    if re.search(r"\$\(as-|AS_VERSION", line):
        return f"the assembler {_binutils(value('AS_VERSION'))}".strip()
    if re.search(r"\$\(ld-|LD_VERSION|\$\(LD\)", line):
        return f"the linker {_binutils(value('LD_VERSION'))}".strip()
    return value("CC_VERSION_TEXT") or "the compiler"


def _binutils(number: str) -> str:
    """24000 is 2.40."""
    return f"{int(number) // 10000}.{int(number) // 100 % 100}" if number.strip("0").isdigit() else ""
