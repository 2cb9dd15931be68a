"""TCP throughput by iperf3: one connection, what the receiver got."""

import json

from mplskit.lab.grammar.steps import Throughput
from mplskit.lab.stage.stage import Stage

PORT = "5201"
PATIENCE = 60


def measure(stage: Stage, wanted: Throughput) -> tuple[float | None, str]:
    """Mbit/s that arrived, or None and what was said. Raises Undone when iperf3 is not there, or does not listen."""
    for node in (wanted.from_, wanted.at):
        stage.need(node, "iperf3", "iperf3")
    server = ["iperf3", "--server", "--one-off", "--bind", str(wanted.to), "--port", PORT]
    stage.script(wanted.at, "listen", f"{stage.home(wanted.at)}/iperf3", PORT, *server)
    client = ["iperf3", "--json", "--client", str(wanted.to), "--port", PORT, "--bind", str(wanted.source)]
    answer = stage.run(wanted.from_, *client, "--time", str(wanted.seconds), timeout=wanted.seconds + PATIENCE)
    stage.script(wanted.at, "end", f"{stage.home(wanted.at)}/iperf3")
    return parse_iperf(answer.output)


def parse_iperf(output: str) -> tuple[float | None, str]:
    """What `iperf3 --json` says: Mbit/s that arrived; None, and why, when there is no such number."""
    try:
        said = json.loads(output)
        if "error" in said:
            return None, str(said["error"])
        return round(float(said["end"]["sum_received"]["bits_per_second"]) / 1e6, 1), ""
    except (ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return None, next((line for line in output.splitlines() if line.strip()), "iperf3 said nothing")
