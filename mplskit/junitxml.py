"""JUnit XML, which CI systems show: what is common to all documents of ours."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from xml.etree.ElementTree import Element, indent, tostring

from mplskit.wording import cut

# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
# What a node says may be megabytes, and who shows a document keeps all of it in memory. The report has the whole.
LONGEST = 500
COUNTED = (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))


def document(root: Element) -> str:
    """The whole document, counted."""
    for suite in root:
        count(suite)
    count(root)
    indent(root)
    return f"{HEAD}{tostring(root, encoding='unicode')}\n"


def in_suites(root: Element, suites: Callable[[], Iterable[Element]]) -> Iterator[str]:
    """The same in pieces, with one suite of many in memory: `suites` is called twice, to count and to write them."""
    total: Counter[str] = Counter()
    for suite in suites():
        total.update({name: _count(suite, tag) for name, tag in COUNTED})
    for name, _ in COUNTED:
        root.set(name, str(total[name]))
    yield f"{HEAD}{tostring(root, encoding='unicode').removesuffix(' />')}>\n"
    for suite in suites():
        count(suite)
        indent(suite, level=1)
        yield f"  {tostring(suite, encoding='unicode').rstrip()}\n"
    yield f"</{root.tag}>\n"


def count(element: Element) -> None:
    """Write down how many cases an element has, and how many went wrong."""
    for name, tag in COUNTED:
        element.set(name, str(_count(element, tag)))


def _count(element: Element, tag: str) -> int:
    return sum(1 for _ in element.iter(tag))


def text(words: str, most: int = LONGEST) -> str:
    """Words that XML can hold, with an end."""
    return _UNWRITABLE.sub("�", cut(words, most))
