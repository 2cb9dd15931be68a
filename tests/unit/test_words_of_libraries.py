"""Whatever stands in an inventory or a topology: no word of pydantic, ipaddress or ruamel.yaml reaches a user.

Every key of every model is fed with values of every wrong kind; what is told has to be ours.
"""

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from mplskit.errors import WrongInput
from mplskit.fleet.inventory import inventory
from mplskit.lab.grammar.topology import Topology
from mplskit.node.grammar.spec import NodeSpec
from mplskit.yaml.spec_file import faults_of
from mplskit.yaml.tree import parse_tree

# pydantic's (pydantic_core's error types), ipaddress's, ruamel.yaml's.
THEIRS = re.compile(
    r"Input|Value error|valid (dict|list|tuple|string|integer|number|boolean|IPv)|is not a valid|unable to parse|"
    r"(greater|less) than|at (least|most) \d+ (item|char)|after validation|instance of|validat|"
    r"does not appear|host bits|<(stream|document|block|scalar)|token|node content|mapping values|sequence entries|"
    r"chomping|not what belongs"
)
ADDRESSES = ["1.2.3.4", "1.2.3.4/24", "1.2.3.0/24", "::1/200", "300.0.0.1", "1.2.3.4%eth0", "0.0.0.0", "ff02::1"]
NUMBERS: list[Any] = [True, 0, 3, -1, 10**30, 1.5, "7", "0x10", float("inf")]
WORDS = ["", "x", "default", "a b", "a\nb", "x" * 300]
ROUTES = [[{"push": [100]}], [{"swap": 100}], [{"pop": 100}], [{"push": 1, "swap": 2}], [{"to": "default"}]]
COLLECTIONS: list[Any] = [[], [[]], ["a"], [1] * 400, [None], [{}], {}, {"a": 1}, {"a": {}}, {"a": None}, {"a": []}]
WRONG: list[Any] = [None, *NUMBERS, *ADDRESSES, *WORDS, *ROUTES, *COLLECTIONS]


def models(kind: Any, known: list[type[BaseModel]]) -> list[type[BaseModel]]:
    """All models that a type reaches."""
    if get_origin(kind) is not None:
        for inner in get_args(kind):
            models(inner, known)
    elif isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in known:
        known.append(kind)
        for field in kind.model_fields.values():
            models(field.annotation, known)
    return known


OWN = [kind for kind in vars(inventory).values() if isinstance(kind, type) and issubclass(kind, BaseModel)]
MODELS: list[type[BaseModel]] = []
for start in (NodeSpec, Topology, *(kind for kind in OWN if kind is not BaseModel)):
    models(start, MODELS)


def told(model: type[BaseModel], values: Any) -> Iterator[str]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        yield from map(str, faults_of(model, error))


def test_the_models_of_all_parts_are_fed() -> None:
    names = {model.__name__ for model in MODELS}
    assert names >= {
        "Push",
        "PushHop",
        "Swap",
        "Pop",
        "OpenVPN",
        "Ldp",
        "Link",
        "End",
        "Step",
        "Expect",
        "Captured",
        "Entry",
    }


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_word_of_a_library_is_told_of_a_value_of_the_wrong_kind(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        for wrong in WRONG:
            for words in told(model, {field.alias or name: wrong}):
                assert not THEIRS.search(words.partition(" (here: ")[0]), (name, wrong, words)
    for wrong in WRONG:
        for words in told(model, wrong):
            assert not THEIRS.search(words), (wrong, words)


@given(st.text(alphabet="ab:-[]{},'\"|>?!&*#%@`\n \t1<\\", max_size=30))
def test_no_word_of_the_parser_is_told_of_a_text_that_is_no_yaml(text: str) -> None:
    try:
        parse_tree(text, "x.yaml")
    except WrongInput as refused:
        assert not THEIRS.search(refused.message), refused.message
