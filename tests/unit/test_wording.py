from mplskit.wording import counted, first_few, joined, no_such, several


def test_names_are_joined_as_people_say_them() -> None:
    assert [joined([]), joined(["a"]), joined(["a", "b"]), joined(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_of_many_names_the_first_are_told_and_how_many_follow() -> None:
    names = ["a", "b", "c", "d"]
    assert several(names, 2) == "a, b, and 2 more"
    assert several([]) == "none"
    assert [first_few(names, 2), first_few(names, 3), first_few(names, 4)] == [
        "a, b and 2 more",
        "a, b, c and 1 more",
        "a, b, c, d",
    ]


def test_one_thing_is_told_otherwise_than_two() -> None:
    assert [counted(1, "node"), counted(2, "node")] == ["1 node", "2 nodes"]


def test_a_name_that_is_none_of_the_known_is_told_with_what_was_probably_meant() -> None:
    assert no_such("node", "lrs", ["ler", "lsr"]) == "there is no node 'lrs'; allowed: ler, lsr; did you mean lsr?"
    assert no_such("node", "x", []) == "there is no node 'x'; allowed: none"
