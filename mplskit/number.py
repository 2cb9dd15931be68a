"""Whole numbers as people write them: ASCII digits, nothing else."""


def whole(text: str, lowest: int, highest: int) -> int | None:
    """The number that `text` is; None when it is no whole number from `lowest` to `highest`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        return None
    value = int(text)
    return value if lowest <= value <= highest else None
