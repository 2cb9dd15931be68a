"""JSON with a line for each row."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mplskit.json_rows import in_rows

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_is_written_is_what_is_read(value: Any) -> None:
    assert json.loads("".join(in_rows(value))) == value


def test_mappings_are_opened_and_each_entry_of_a_list_of_mappings_is_a_line() -> None:
    value = {"a": 1, "few": ["x", "y"], "rows": [{"b": [1, 2], "c": {"d": None}}, {}], "none": []}
    assert "".join(in_rows(value)) == (
        '{\n  "a": 1,\n  "few": ["x", "y"],\n  "rows": [\n    {"b": [1, 2], "c": {"d": null}},\n    {}\n  ],\n'
        '  "none": []\n}'
    )


def test_a_long_list_of_plain_values_has_a_line_for_each() -> None:
    addresses = [f"10.0.0.{number}/32" for number in range(1, 8)]
    assert "".join(in_rows({"loopbacks": addresses})).count("\n") == 10


def test_what_json_does_not_know_is_what_we_say_it_is() -> None:
    assert "".join(in_rows({"at": [Path("/etc")]})) == '{\n  "at": [\n    "/etc"\n  ]\n}'
