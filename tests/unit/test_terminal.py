import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from mplskit import terminal


def test_json_makes_stdout_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show({"path": os.fspath("/é"), "n": [1]}, True, lambda: print("text"))
    assert json.loads(capsys.readouterr().out) == {"path": "/é", "n": [1]}


def test_without_json_the_text_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show({}, False, lambda: print("text"))
    assert capsys.readouterr().out == "text\n"


def test_a_table_shows_brackets_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.table(("symbol", "why"), [("MPLS", "depends on NET [=n] [/red]")])
    assert "depends on NET [=n] [/red]" in capsys.readouterr().out


@pytest.mark.parametrize("rows", [[], [{"a": [1, {"b": "x\ny"}], "c": {}}, 2]])
@pytest.mark.parametrize("head", [{}, {"code": 0, "words": ["]"]}])
def test_rows_that_come_one_by_one_are_one_json_document(
    head: dict[str, Any], rows: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.show_rows(head, "rows", iter(rows), True, lambda: None)
    assert capsys.readouterr().out == json.dumps({**head, "rows": rows}, indent=2) + "\n"


def test_a_row_is_printed_before_the_next_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    printed = []

    def rows() -> Iterator[dict[str, str]]:
        for name in ("n1", "n2"):
            yield {"node": name}
            printed.append(capsys.readouterr().out)

    terminal.show_rows({"code": 0}, "nodes", rows(), True, lambda: None)
    assert ["n1" in text for text in printed] == [True, False]
    assert ["n2" in text for text in printed] == [False, True]
