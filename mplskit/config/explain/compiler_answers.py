"""What Kconfig asks of the compiler and its companions (scripts/Kconfig.include); no setting changes the answers."""

import re
from pathlib import Path

from kconfiglib import Symbol

from mplskit.config.explain.kconfig_blocks import block_at
from mplskit.config.explain.load_kconfig import KernelKconfig

NO_SET = "no --set can mend that"
# A call of a macro, such as $(cc-option,-mfoo); $(ARCH) and other variables are in capitals.
_CALL = re.compile(r"\$\([a-z][\w-]*")


def probe(tree: Path, symbol: Symbol, dependency: bool) -> str:
    """The lines of a symbol's Kconfig block that ask a tool, or an empty text: its dependencies, or what sets it."""
    found = []
    for node in symbol.nodes:
        lines = Path(tree, node.filename).read_text(errors="replace").split("\n")
        for line in block_at(lines, node.linenr - 1).replace("\\\n", " ").split("\n"):
            if _CALL.search(line) and line.lstrip().startswith("depends") is dependency:
                found.append(" ".join(line.split()))
    return "` or `".join(found)


def refusal(kconfig: KernelKconfig, line: str) -> str:
    """Says which tool, by its version, is not what such a line asks for."""
    name, version = _tool(kconfig, line)
    if not version:
        return f"{name} is not here, and `{line}` asks for it; {NO_SET}"
    return f"{version} is not what `{line}` asks for; {NO_SET}"


def _tool(kconfig: KernelKconfig, line: str) -> tuple[str, str]:
    """The tool that a line asks, and how it names itself; that is empty where it is not there."""

    def value(name: str) -> str:
        symbol = kconfig.syms.get(name)
        return str(symbol.str_value) if symbol is not None and symbol.nodes else ""

    if re.search(r"rust|bindgen", line, re.IGNORECASE):
        return "a Rust compiler", value("RUSTC_VERSION_TEXT")
    if re.search(r"pahole", line, re.IGNORECASE):
        number = value("PAHOLE_VERSION").strip("0")
        return "pahole", f"pahole {number[0]}.{number[1:]}" if number else ""
    if re.search(r"\$\(as-", line):
        return "an assembler", f"the assembler {_binutils(value('AS_VERSION'))}".rstrip()
    if re.search(r"\$\(ld-|\$\(LD\)", line):
        return "a linker", f"the linker {_binutils(value('LD_VERSION'))}".rstrip()
    if re.search(r"\$\(cc-|\$\(m(32|64)-flag|\$\(gcc|CC\)|CC_|GCC|CLANG", line):
        return "a compiler", value("CC_VERSION_TEXT") or "the compiler"
    return "a tool", "this machine"


def _binutils(number: str) -> str:
    """24000 is 2.40."""
    return f"{int(number) // 10000}.{int(number) // 100 % 100}" if number.strip("0").isdigit() else ""
