"""The route tables of a node."""

COMMAND = "ip -f mpls route show; ip -4 route show table all; ip -6 route show table all"


def lines_with(output: str, words: str) -> list[str]:
    """The lines of a route table in which the words stand one after another."""
    wanted = words.split()
    return [line for line in output.splitlines() if _within(wanted, line.split())]


def _within(wanted: list[str], words: list[str]) -> bool:
    return any(words[i : i + len(wanted)] == wanted for i in range(len(words) - len(wanted) + 1))
