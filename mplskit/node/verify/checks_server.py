"""Reads the checks, and has `pytest_forks` run them for one node after another: `python -m …checks_server FD FOLDER`.

Started by `suite`; FD is a socket of its, that was inherited.
"""

import socket
import sys
from pathlib import Path

import pytest

from mplskit.node.verify.pytest_forks import Forks

# What pytest does around each check, and nobody looks at here.
NEEDLESS = ("logging", "unraisableexception", "threadexception", "faulthandler", "junitxml", "doctest", "pastebin")


def main() -> int:
    """Serve until `suite` closes its end."""
    number, folder = int(sys.argv[1]), Path(sys.argv[2])
    words = ["-c", str(folder / "pytest.ini"), "--rootdir", str(folder), "-p", "testinfra.plugin", "-q", "-s"]
    words += [word for name in NEEDLESS for word in ("-p", f"no:{name}")]
    with socket.socket(fileno=number) as control:
        # We are in that folder: in a path that is given to pytest a [ would begin parameters, and :: a test's name.
        return pytest.main([*words, f"--hosts=mplskit://{number}", "."], plugins=[Forks(control)])


if __name__ == "__main__":
    sys.exit(main())
