"""The drawing that a topology becomes."""

from mplskit.lab.grammar.labs import load
from mplskit.lab.html.drawing import draw


def test_a_penultimate_pop_shows_no_label_on_the_last_link() -> None:
    labels = [text.words for text in draw(load("php")).texts if text.kind == "label"]
    assert labels == ["↓ 101, 101/301", "↑ no label", "↓ no label", "↑ 102"]


def test_a_tunnel_is_a_wire_of_its_own_and_carries_the_labels() -> None:
    drawing = draw(load("openvpn"))
    assert [wire.kind for wire in drawing.wires] == ["link", "link", "link", "tunnel"]
    assert [text.words for text in drawing.texts if text.kind == "about"] == ["5 ms", "OpenVPN (tap)"]


def test_nodes_beside_each_other_are_joined_from_side_to_side() -> None:
    drawing = draw(load("ecmp"))
    [level] = [wire for wire in drawing.wires if wire.y1 == wire.y2]
    beside = [box for box in drawing.boxes if box.y == level.y1]
    assert sorted(box.x + box.width / 2 for box in beside)[0] == level.x1
    assert sorted(box.x - box.width / 2 for box in beside)[1] == level.x2
    assert [
        (text.words, text.y < level.y1) for text in drawing.texts if "111" in text.words and text.kind == "label"
    ] == [("→ 111", True)]
