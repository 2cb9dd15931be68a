from mplskit.image.mirror import Archive, parse

LINES = [
    "Debian|http://mirror.example/debian/|bookworm",
    "Debian|http://mirror.example/debian/|bookworm",
    "Debian|http://mirror.example/debian/|bookworm-updates",
    "Debian|http://mirror.example/debian/|bookworm-backports",
    "Debian|http://mirror.example/debian-security/|bookworm-security",
    "Node Source|https://deb.example.com/node_20.x/|nodistro",
]


def test_an_image_of_another_suite_comes_from_the_same_mirror() -> None:
    assert [archive.line() for archive in parse(LINES, "trixie")] == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb http://mirror.example/debian-security/ trixie-security main",
    ]


def test_security_is_left_out_where_this_machine_does_without() -> None:
    assert parse(LINES[:1], "bookworm") == [Archive("http://mirror.example/debian/", "bookworm")]


def test_archives_that_are_not_debians_are_not_taken() -> None:
    assert parse(LINES[5:], "bookworm") == []
