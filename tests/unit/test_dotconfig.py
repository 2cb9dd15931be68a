"""The kernel's own reading of a `.config`, without a kernel; tests/integration compares it with the kernel's."""

import pytest

from mplskit.config.dotconfig import Kind, Odd, odd_lines, read, value_of

HEAD = "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.1.170 Kernel Configuration\n#\n"
WITHOUT_PROMPT = "".join(f"CONFIG_HAVE_THING_{number}=y\n" for number in range(12))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("CONFIG_A=y\r\n# CONFIG_B is not set\r\nCONFIG_C=m\r\n", {"A": "y", "B": "n", "C": "m"}),
        ("CONFIG_A=y  \nCONFIG_B=m\t# why\n", {"A": "y", "B": "m"}),
        ("CONFIG_A=m\nCONFIG_A=y\n# CONFIG_A is not set\n", {"A": "n"}),
        ("CONFIG_A=y\nCONFIG_A=Y\nCONFIG_A=\n", {"A": "y"}),
        ("CONFIG_A=y", {"A": "y"}),
        ('CONFIG_A="x # y" # z\n', {"A": '"x # y"'}),
        ("CONFIG_A=yes\nCONFIG_B=module\nCONFIG_C=no\n", {"A": "y", "B": "m", "C": "n"}),
        ("#CONFIG_A is not set\n## CONFIG_B is not set\n#  CONFIG_C is not set\n# CONFIG_D is not set yet\n", {}),
        ("CONFIG_A=y\0CONFIG_B=y\nCONFIG_C=m\n", {"A": "y", "C": "m"}),
        ("config_a=y\nexport CONFIG_B=y\n CONFIG_C=y\nCONFIG_D\n", {}),
        ("", {}),
    ],
)
def test_the_lines_that_count_are_those_that_the_kernel_counts(text: str, values: dict[str, str]) -> None:
    assert read(text).values == values


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (" CONFIG_A=y", "a blank stands before it"),
        ("\ufeffCONFIG_A=y", "a byte order mark stands before it"),
        ("A=y", "it begins neither with CONFIG_ nor with #"),
        ("CONFIG_A", "there is no ="),
        ("CONFIG_A =y", "'A ' is no name of a symbol"),
        ("CONFIG_A=on", "no value that the kernel reads"),
        ("# CONFIG_A is not set ", "a comment, since it is not `# CONFIG_X is not set` to the letter"),
    ],
)
def test_a_line_that_the_kernel_passes_over_is_told_with_its_number(line: str, why: str) -> None:
    assert read(f"CONFIG_NET=y\n{line}\n").odd == (Odd(2, line, why),)


def test_many_lines_that_are_passed_over_are_summed_up() -> None:
    assert odd_lines(read("what\n" * 9).odd)[4:] == [
        "line 5: 'what': it begins neither with CONFIG_ nor with #; the kernel passes it over",
        "and 4 more such lines",
    ]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.BOOL, "m", None),
        (Kind.TRISTATE, "m", "m"),
        (Kind.INT, "064", None),
        (Kind.INT, "-0", "-0"),
        (Kind.INT, "64 ", None),
        (Kind.HEX, "ff", "ff"),
        (Kind.HEX, "0x", None),
        (Kind.STRING, "text", None),
        (Kind.STRING, '"a', None),
        (Kind.STRING, '"a\\', None),
        (Kind.STRING, '"a\\"b" c', '"a\\"b"'),
    ],
)
def test_a_value_is_read_by_the_type_of_its_symbol(kind: Kind, text: str, value: str | None) -> None:
    assert value_of(text, kind) == value


@pytest.mark.parametrize(
    "text",
    [f"{HEAD}CONFIG_MPLS=y\n", WITHOUT_PROMPT, f"{WITHOUT_PROMPT}# end of General setup\n# end of Kernel hacking\n"],
)
def test_what_the_kernel_wrote_is_whole(text: str) -> None:
    assert read(text).partial == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("CONFIG_MPLS=y\nCONFIG_MPLS_ROUTING=m\n", "it names only what was chosen"),
        ("CONFIG_ARCH_BCM2835=y\n# CONFIG_WLAN is not set\n" * 300, "it names only what was chosen"),
        ("# nothing\n", "it names no symbol"),
        (f"{HEAD}{WITHOUT_PROMPT}# end of General setup\nCONFIG_NET=y\n", "it is cut short"),
    ],
    ids=["fragment", "savedefconfig", "comments", "cut"],
)
def test_what_is_not_whole_is_told_as_such(text: str, why: str) -> None:
    assert read(text).partial.startswith(why)
