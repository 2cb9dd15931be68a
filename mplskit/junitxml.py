"""JUnit XML, which CI systems show: what is common to all documents of ours."""

import re
from xml.etree.ElementTree import Element, indent, tostring

# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(root: Element) -> str:
    """The whole document, counted."""
    for suite in root:
        count(suite)
    count(root)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def count(element: Element) -> None:
    """Write down how many cases an element has, and how many went wrong."""
    counted = (("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped"))
    for name, tag in counted:
        element.set(name, str(len(list(element.iter(tag)))))


def text(words: str) -> str:
    """Words that XML can hold."""
    return _UNWRITABLE.sub("�", words)
