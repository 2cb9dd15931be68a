"""Seconds until a node has all of its labels and routes again after an interface, a module or a boot took them away.

    PYTHONPATH=. .venv/bin/python benchmarks/keeper.py [--full]

It runs tests/e2e/test_node_stays.py (one VM of a stock Debian) and prints what that measured on the node, beside the
time that a program's start takes there: the keeper starts some 20 for each of these. `--full` adds ifupdown,
NetworkManager and a restart of systemd-networkd.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Print one line for each event; the exit code is pytest's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    marks = "full or not full" if parser.parse_args().full else "not full"
    argv = [sys.executable, "-m", "pytest", "tests/e2e/test_node_stays.py", "-q", "-rP", "-m", marks]
    ran = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    found = re.findall(r"^\d+\.\d\d s .*$", ran.stdout, re.MULTILINE)
    print(*(found if ran.returncode == 0 else [ran.stdout]), sep="\n")
    print("load:", *(f"{load:.1f}" for load in os.getloadavg()))
    return ran.returncode


if __name__ == "__main__":
    sys.exit(main())
