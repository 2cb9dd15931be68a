"""MPLS counters as the kernel's tools print them."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mplskit import process
from mplskit.lab.probes.counters import read
from mplskit.lab.probes.probe import Look, Nodes
from mplskit.node.verify import mpls_counters
from mplskit.remote.session import Answer

# As `ip` of iproute2 6.1 shows them, and `ip link afstats`, which those before 5.19 have alone.
STATS = """
1: lo: group afstats subgroup mpls
    RX: bytes packets errors dropped noroute
          176       2      0       2       0 
    TX: bytes packets errors dropped
          176       2      0       0 

2: cb@if3: group afstats subgroup mpls
    RX: bytes packets errors dropped noroute
         4064      14      0       0       1 
    TX: bytes packets errors dropped
         6408      10      4       0 
"""  # noqa: W291
OLD = """1:lo
    mpls:
        RX: bytes packets errors dropped noroute
                0       0      0       3       0 
        TX: bytes packets errors dropped
                0       0      0       0 
"""  # noqa: W291


def test_each_counter_has_its_direction_in_its_name() -> None:
    found = mpls_counters.parse(STATS)
    assert list(found) == ["lo", "cb"]
    assert found["lo"] == {
        **{"rx.bytes": 176, "rx.packets": 2, "rx.errors": 0, "rx.dropped": 2, "rx.noroute": 0},
        **{"tx.bytes": 176, "tx.packets": 2, "tx.errors": 0, "tx.dropped": 0},
    }
    assert set(found["lo"]) == set(mpls_counters.NAMES)
    assert (found["cb"]["rx.noroute"], found["cb"]["tx.errors"]) == (1, 4)


IP = """#!/bin/sh
shown=${0%/*}/$1
[ -s "$shown" ] || { echo "Object \\"$1\\" is unknown, try \\"ip help\\"." >&2; exit 255; }
cat "$shown"
"""


@pytest.mark.parametrize(("command", "shown", "dropped"), [("stats", STATS, 2), ("link", OLD, 3)], ids=["6.1", "5.18"])
def test_what_a_new_and_an_old_ip_print_is_read_on_a_node_as_in_a_lab(
    command: str, shown: str, dropped: int, tmp_path: Path
) -> None:
    (tmp_path / command).write_text(shown)
    (tmp_path / "ip").write_text(IP)
    (tmp_path / "ip").chmod(0o755)

    def run(node: str, *argv: str) -> Answer:
        said = process.run(argv, env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, check=False)
        return Answer(argv, said.returncode, said.stdout)

    of_a_lab = read(Look(cast("Nodes", SimpleNamespace(run=run)), ["ler-1"], tmp_path, "step-1", {}))
    assert of_a_lab["ler-1"]["lo"]["rx.dropped"] == dropped
    of_a_node = process.run(["sh", "-c", mpls_counters.command(str(tmp_path / "ip"))]).stdout
    assert mpls_counters.parse(of_a_node) == of_a_lab["ler-1"]


@pytest.mark.parametrize(
    "output",
    [
        "",
        "\n",
        "1: lo: group afstats subgroup mpls\n",
        "1: lo: group afstats subgroup mpls\n    RX: bytes packets errors dropped noroute\n",
        "    RX: bytes packets errors dropped noroute\n         176       2      0       2       0 \n",
        f"1: lo: group afstats subgroup mpls\n    RX: bytes\n    {'9' * 5000}\n",
        'Object "stats" is unknown, try "ip help".\n',
    ],
)
def test_an_interface_without_mpls_or_an_ip_without_gives_no_counters(output: str) -> None:
    assert mpls_counters.parse(output) == {}


@given(st.text())
def test_no_text_stops_the_reader(text: str) -> None:
    mpls_counters.parse(text)
