"""YAML within bounds: what a value is, what anchors do, and what is refused before it costs anything."""

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit.errors import WrongInput
from mplskit.yaml.tree import LARGEST_FILE, MOST_VALUES, parse_tree, plain, read_tree
from mplskit.yaml.value import Written


def value(text: str) -> Any:
    return plain(parse_tree(text, "x.yaml"))


def refusal(text: str) -> str:
    with pytest.raises(WrongInput) as caught:
        parse_tree(text, "x.yaml")
    return caught.value.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("010", "010"),
        ("0o10", "0o10"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        ("1:20", "1:20"),
        ("1.5", "1.5"),
        ("1e3", "1e3"),
        ("2026-01-31", "2026-01-31"),
        ("'16'", "16"),
        ("16", 16),
        ("-1", -1),
        ("+1", 1),
        ("9" * 18, 999_999_999_999_999_999),
        ("9" * 19, "9" * 19),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'null'", "null"),
    ],
)
def test_a_value_is_what_every_yaml_takes_it_for_and_text_otherwise(written: str, meant: object) -> None:
    assert value(f"key: {written}") == {"key": meant}
    assert type(value(f"key: {written}")["key"]) is type(meant)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert value("{1: a, no: b, null: c, 1:20: d}") == {"1": "a", "no": "b", "null": "c", "1:20": "d"}


def test_a_directive_for_the_old_yaml_changes_nothing() -> None:
    assert value("%YAML 1.1\n---\nkey: [no, 010]\n") == {"key": ["no", "010"]}


def test_an_empty_file_is_nothing() -> None:
    assert (value(""), value("# said nothing\n"), value("---\n")) == (None, None, None)


def test_entries_and_items_know_the_line_of_their_key() -> None:
    tree = parse_tree("a:\n  b:\n    - x\n    - c:\n        1\n", "x.yaml")
    b = tree.entries["a"].entries["b"]
    assert (tree.entries["a"].line, b.line) == (1, 2)
    assert isinstance(b.value, list)
    assert (b.value[0].line, b.value[1].line, b.value[1].entries["c"].line) == (3, 4, 4)


def test_an_alias_stands_for_what_its_anchor_holds_and_what_is_in_it_keeps_its_line() -> None:
    tree = parse_tree("a: &a {x: 1}\nb: *a\n", "x.yaml")
    assert plain(tree) == {"a": {"x": 1}, "b": {"x": 1}}
    assert (tree.entries["b"].line, tree.entries["b"].entries["x"].line) == (2, 1)


def test_a_merge_key_brings_what_is_not_said_beside_it() -> None:
    assert value("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 9}\n")["b"] == {"x": 9, "y": 2}
    assert value("a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b]}\n")["c"] == {"x": 1, "y": 3}
    assert value("a: {'<<': 1}\n") == {"a": {"<<": 1}}


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (LAUGHS, "x.yaml:6: more than 700000 values, with what the aliases stand for"),
        ("a:\n  &a [*a]\n", "x.yaml:2: *a holds itself"),
        ("a: 1\nb: *c\n", "x.yaml:2: there is no anchor &c above"),
        ("a: &a 1\nb: {<<: *a}\n", "x.yaml:2: << takes a mapping, or a list of them"),
        ("a: " + "[" * 40, "x.yaml:1: nested deeper than 32 levels"),
        ("\n".join(" " * depth + "a:" for depth in range(40)), "x.yaml:33: nested deeper than 32 levels"),
        (
            "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20,
            "x.yaml:2: nested deeper than 32 levels, with what *a stands for",
        ),
        ("a: 1\nb: 2\n'a': 3\n", "x.yaml:3: the key 'a' is there already, in line 1"),
        ("a: 1\n? [x]\n: 2\n", "x.yaml:2: a key is text, without a tag"),
        ("a: 1\nb: !!python/object:os.system x\n", "x.yaml:2: there are no tags here: !!python/object:os.system"),
        ("a: !!int '3'\n", "x.yaml:1: there are no tags here: !!int"),
        ("a: !mine {}\n", "x.yaml:1: there are no tags here: !mine"),
        ("a: 1\n---\na: 2\n", "x.yaml:2: a second document begins here: one file is one document"),
        ("a: 1\n\tb: 2\n", "x.yaml:2: no YAML: a tab cannot stand here: YAML is indented by spaces"),
        ("a: 1\nb: {\n", "x.yaml:3: no YAML: it ends before a value"),
        ("a: 1\nb: \x1b[2J\n", "x.yaml:2: no YAML: there is a character that cannot be printed"),
        ('a: "\\ud800"\n', "x.yaml:1: half of a surrogate pair is no character"),
        ('a: 1\n"\\ud83d\\ude00": 1\n', "x.yaml:2: half of a surrogate pair is no character"),
        ("a: 1\n" + "x" * 50_001, "x.yaml:2: a line with more than 50000 characters"),
    ],
    ids=lambda text: None,
)
def test_what_has_no_bound_or_no_one_meaning_is_refused_with_its_line(text: str, rule: str) -> None:
    begun = time.monotonic()
    assert refusal(text) == rule
    assert time.monotonic() - begun < 2


def test_a_node_with_100_000_label_routes_is_within_the_bounds() -> None:
    routes = [
        f"      - {{swap: {label}, as: [{label}], via: 192.168.100.2, dev: eth0}}\n" for label in range(16, 100_016)
    ]
    assert sum(map(len, routes)) < LARGEST_FILE
    few = parse_tree("".join(routes[:100]), "x.yaml")
    assert few.size == 1 + 100 * 6
    assert 1000 * few.size < MOST_VALUES


def test_a_file_of_10_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    path.write_bytes(b"- a\n" * 2_500_000)
    begun = time.monotonic()
    with pytest.raises(WrongInput) as caught:
        read_tree(path)
    assert caught.value.message == f"{path}: larger than 9 MB: it was not read"
    assert time.monotonic() - begun < 1


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "latin-1.yaml"
    path.write_bytes("a: 1\nb: Málaga\n".encode("latin-1"))
    with pytest.raises(WrongInput) as caught:
        read_tree(path)
    assert caught.value.message == f"{path}:2: byte 9 is not UTF-8"


def test_a_path_without_a_file_is_wrong_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = []
    for name in ("none.yaml", ".", "x" * 300, "nul\0.yaml"):
        with pytest.raises(WrongInput) as caught:
            read_tree(tmp_path / name)
        told.append(caught.value.message.partition(" (")[0])
    assert told == [
        "there is no file none.yaml",
        ". is a folder, not a file",
        f"{'x' * 100}…: no file can be read there",
        "nul\\x00.yaml: no file can be read there",
    ]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_tree_or_wrong_input(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    try:
        assert isinstance(read_tree(path), Written)
    except WrongInput as error:
        assert error.message.isprintable()


@given(st.text(alphabet="ab:-[]{}&*!<>|?%#'\"\\ \n\t,0~@`.", max_size=60))
def test_any_text_of_yamls_own_characters_is_a_tree_or_wrong_input(text: str) -> None:
    try:
        tree = parse_tree(text, "x.yaml")
    except WrongInput as error:
        assert error.message.startswith("x.yaml")
        assert error.message.isprintable()
        return
    assert tree.size >= 1
