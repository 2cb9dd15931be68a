"""What a build says that it wants, turned into the command that brings it."""

import re

from mplskit.errors import MachineLacks


def unmet_dependencies(log: str) -> MachineLacks | None:
    """What dpkg-checkbuilddeps says in a log, as the command that mends it; None where it says nothing."""
    found = re.findall(r"dpkg-checkbuilddeps: error: unmet build dependencies: (.*)", log, re.IGNORECASE)
    if not found:
        return None
    plain = re.sub(r"\([^)]*\)|<[^>]*>|\[[^]]*\]", "", found[-1])
    names = " ".join(dict.fromkeys(re.sub(r"\s*\|\s*\S+", "", plain).split()))
    return MachineLacks(f"the build wants packages that are not installed: {names}", hint=f"apt-get install {names}")
