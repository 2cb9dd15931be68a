"""Lists of plain rows are read without the parser, and mean what the parser takes them for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.yaml.plain_rows import put_aside
from mplskit.yaml.tree import parse_tree, plain
from mplskit.yaml.value import Written

FLOW = "- {swap: 100, as: [200, 0], via: 'fe80::2', dev: eth0}  # a remark"
BLOCK = """\
- swap: 100
  as:
  - 200
  - 0

  # a remark
  via: "fe80::2"
  nexthops:
    - {via: fe80::2}
    - via: 10.0.0.1/8
      as: [1]
- word"""


def parsed(text: str) -> Written | str:
    """The tree by the parser alone, which a tab in a remark makes it; or what is wrong."""
    return read(f"#\t\n{text}")


def read(text: str) -> Written | str:
    try:
        return parse_tree(text, "x.yaml")
    except WrongInput as error:
        return error.message


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (FLOW, 1),
        (f"{FLOW}\n{FLOW}\n# a remark\n\n{FLOW}", 2),
        (BLOCK, 2),
        (f"nodes:\n  a:\n    routes:\n    {FLOW}\n    {FLOW}\n  b: 1", 5),
        (f"- &a {{x: 1}}\n{FLOW}\n{FLOW}\n- *a", 3),
    ],
    ids=["one", "several", "over several lines", "deep in a tree", "beside an anchor"],
)
def test_plain_rows_are_put_aside_and_the_rest_keeps_its_lines(text: str, left: int) -> None:
    aside = put_aside(text)
    assert sum(line != "" for line in aside.text.split("\n")) == left
    assert len(aside.rows) == 1
    assert aside.text.count("\n") == text.count("\n")
    assert read(f"#\n{text}") == parsed(text)


@pytest.mark.parametrize(
    "row",
    ["- &a {x: 1}", "- !!str x", "- {x: *a}", "- {x: 1, x: 2}", "- {x: 1", "- a b", "- [a, ]", "- |", "- é"],
)
def test_what_is_not_plain_is_left_to_the_parser(row: str) -> None:
    assert put_aside(f"{row}\n").text == f"{row}\n"


@pytest.mark.parametrize(
    "text",
    [
        f"a: |\n  {FLOW}\nb: 1",
        f"a: text\n  {FLOW}",
        f"a: 'text\n  {FLOW}'",
        f"{FLOW}\n  more",
        f"{FLOW}\nb: 1",
        "- word\n  more",
        "- a: 1\n b: 2",
        "- a: 1\n  b: 2\n   c: 3",
        "%YAML 1.1\n---\n- {a: 1}",
        "- {a: {b: {c: {d: {e: {f: {g: {h: 1}}}}}}}}",
    ],
)
def test_rows_that_are_something_else_where_they_stand_are_what_the_parser_makes_of_them(text: str) -> None:
    if text.startswith("%"):
        assert read(text) == Written([Written({"a": Written(1, 3)}, 3, 2, 2)], 3, 3, 3)
    else:
        assert read(f"#\n{text}") == parsed(text)


def test_a_fault_among_many_rows_is_told_with_its_line() -> None:
    rows = [FLOW] * 1000
    rows[700] = "- {swap: 100, as: [200}"
    text = "\n".join(rows)
    assert str(read(text)).startswith("x.yaml:701: ")
    assert read(f"#\n{text}") == parsed(text)


def test_the_bounds_of_a_file_count_for_rows_too() -> None:
    deep = "- " * 31 + "\n" + " " * 62 + "- {a: 1}"
    assert read(deep) == "x.yaml:2: nested deeper than 32 levels"
    rows = "- [a, a, a, a, a, a, a, a, a]\n" * 700
    many = f"a: &a\n{rows}b: [{', '.join(['*a'] * 100)}]\n"
    assert read(many) == "x.yaml:702: more than 700000 values, with what the aliases stand for"


WORDS = ["a", "1", "x.y", "10.0.0.1/8", "fe80::2", "'q q'", '"d: [#"', "null", "-1", "a b", "a:b", "::1", "..", "é"]
FLOWS = st.recursive(
    st.sampled_from(WORDS),
    lambda below: (
        st.lists(below, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.sampled_from("abc"), below, max_size=3).map(
            lambda entries: f"{{{', '.join(f'{key}: {value}' for key, value in entries.items())}}}"
        )
    ),
    max_leaves=6,
)
REMARKS = st.sampled_from(["", "", "", " ", "  # c", "#c"])
LINES = st.builds(
    lambda pad, start, flow, remark: f"{'  ' * pad}{start}{flow}{remark}",
    st.integers(0, 3),
    st.sampled_from(["- ", "- ", "- ", "- a: ", "a: ", "b: ", "c: ", "", "-   ", "- - "]),
    FLOWS | st.sampled_from(["", "|", "&a 1", "*a", "{", "]"]),
    REMARKS,
)


@given(st.lists(LINES | st.sampled_from(["", "a:", "  - a:", "# c", "---"]), max_size=8).map("\n".join))
def test_any_lines_mean_what_the_parser_takes_them_for(text: str) -> None:
    assert read(f"#\n{text}") == parsed(text)


def test_a_word_means_the_same_in_a_row() -> None:
    text = "- [no, 010, 1:20, +1, null, ~, True, 'null']\n- [no, 010, 1:20, null, True, 'null']\n"
    assert plain(parse_tree(text, "x.yaml")) == [
        ["no", "010", "1:20", 1, None, None, True, "null"],
        ["no", "010", "1:20", None, True, "null"],
    ]
