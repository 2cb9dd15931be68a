"""What a node is, as the files of that node: golden/node-*.txt."""

from pathlib import Path

import pytest

from mplskit.node.render import render
from mplskit.node.spec import NodeSpec
from tests.golden import assert_golden

LER = NodeSpec.model_validate(
    {
        "platform_labels": 1000,
        "mpls_input": ["eth0", "eth0.100"],
        "loopbacks": ["192.168.10.187/32"],
        "routes": [
            {"push": [101, 102], "to": "192.168.10.152/32", "via": "10.10.0.152", "src": "192.168.10.187"},
            {"push": [16], "to": "10.20.0.0/16", "via": "fe80::1", "dev": "eth0"},
            {"push": [17], "to": "2001:db8::/32", "via": "2001:db8:1::1"},
            {"swap": 100, "as": [200, 201], "via": "10.10.0.122", "dev": "eth0"},
            {"pop": 103, "via": "2001:db8:1::2"},
            {"pop": 101, "dev": "lo"},
        ],
    }
)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/modules-load.d/mplskit.conf",
        "/etc/sysctl.d/90-mplskit.conf",
        "/etc/udev/rules.d/90-mplskit.rules",
        "/etc/mplskit/node.json",
        "/etc/mplskit/routes.batch",
        "/etc/mplskit/labels.batch",
    ],
)
def test_a_file_of_a_node_reads_like_this(path: str) -> None:
    assert_golden(f"node-{Path(path).name}", render(LER)[path], {})


def test_a_node_without_routes_has_no_batch_of_them() -> None:
    assert list(render(NodeSpec())) == [
        "/etc/modules-load.d/mplskit.conf",
        "/etc/sysctl.d/90-mplskit.conf",
        "/etc/udev/rules.d/90-mplskit.rules",
        "/etc/mplskit/node.json",
    ]


def test_every_file_says_that_mplskit_wrote_it_and_ends_with_a_newline() -> None:
    for text in render(LER).values():
        assert "Written by mplskit" in text
        assert text.endswith("\n")


def test_rendering_twice_gives_the_same() -> None:
    assert render(LER) == render(LER.model_copy())
