"""What ruamel.yaml's parser says of a text that is no YAML, in words for who wrote it."""

import re

_SAID = (
    (r"'\\t'", "a tab cannot stand here: YAML is indented by spaces"),
    (
        r"mapping values are not allowed",
        "a `: ` too much, or indented otherwise than above: text with `: ` goes in quotes",
    ),
    (r"expected ',' or '(.)', but got '<stream end>'", "there is no {0} to the end"),
    (r"expected ',' or '(.)'", "there is a comma or a {0} missing before this"),
    (r"unexpected end of stream", "a quotation mark is open to the end"),
    (r"character '(.)' that cannot start", "text that begins with {0} goes in quotes"),
    (r"node content, but found '(.)'", "there is a value missing before {0}"),
    (r"node content", "it ends before a value"),
    (r"escape", "a \\ in double quotes begins an escape, and this is none: single quotes take it as it is"),
    (r"special characters", "there is a character that cannot be printed"),
    (r"sequence entries", "a list begins below its key, not beside it"),
    (r"<document start>|<block end>", "this does not go on from what is above: look at the indentation, and at quotes"),
)


def in_words(problem: str) -> str:
    """The parser's `problem`, as it is told."""
    for pattern, words in _SAID:
        found = re.search(pattern, problem)
        if found:
            return words.format(*found.groups())
    return "this cannot be read: text with signs in it goes in quotes"
