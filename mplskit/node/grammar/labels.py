"""What a label may be: the rules of RFC 3032 and of Linux's label table."""

from typing import Annotated

from pydantic import AfterValidator, Field

LABEL_MAX = (1 << 20) - 1
FIRST_FREE_LABEL = 16
IMPLICIT_NULL = 3
EXPLICIT_NULLS = (0, 2)  # of IPv4 and of IPv6
STACK_MAX = 30  # Linux 4.12 and later: MAX_NEW_LABELS in net/mpls/internal.h


def _in_label(label: int) -> int:
    if not FIRST_FREE_LABEL <= label < LABEL_MAX:
        raise ValueError(f"an incoming label is {FIRST_FREE_LABEL} to {LABEL_MAX - 1}")
    return label


def _out_label(label: int) -> int:
    if label == IMPLICIT_NULL:
        raise ValueError(
            f"implicit null ({IMPLICIT_NULL}) is never on the wire; a penultimate hop pops: {{pop: L, via: A}}"
        )
    if label not in EXPLICIT_NULLS and not FIRST_FREE_LABEL <= label <= LABEL_MAX:
        raise ValueError(f"an outgoing label is {FIRST_FREE_LABEL} to {LABEL_MAX}, or explicit null (0, 2)")
    return label


def _stack(labels: tuple[int, ...]) -> tuple[int, ...]:
    if not 1 <= len(labels) <= STACK_MAX:
        raise ValueError(f"a label stack has 1 to {STACK_MAX} labels: this one has {len(labels)}")
    return labels


def wrong_null(bottom: int, version: int) -> str:
    """The rule that a stack on packets of IP `version` breaks with its `bottom` label; "" when it breaks none.

    An explicit null there says what is below it (RFC 3032, section 2.1); higher up it says nothing (RFC 4182).
    """
    wrong = {4: 2, 6: 0}[version]
    if bottom != wrong:
        return ""
    return f"label {wrong} says that IPv{10 - version} is below it, and these are packets of IPv{version}"


InLabel = Annotated[int, Field(strict=True), AfterValidator(_in_label)]
OutLabel = Annotated[int, Field(strict=True), AfterValidator(_out_label)]
Stack = Annotated[tuple[OutLabel, ...], AfterValidator(_stack)]
