"""Golden files: the exact text of each error that a user meets is a file in tests/unit/golden/.

`MPLSKIT_GOLDEN=write .venv/bin/python -m pytest tests/unit` writes them anew; read the diff before you commit it.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "unit" / "golden"


def assert_golden(case: str, text: str, places: dict[Path, str]) -> None:
    """Compare a text with golden/CASE.txt, each of the `places` in it under the name that is given for it."""
    for place in sorted(places, key=lambda path: -len(str(path))):
        text = text.replace(str(place), places[place])
    file = FOLDER / f"{case}.txt"
    if os.environ.get("MPLSKIT_GOLDEN") == "write":
        file.write_text(text)
    assert text == file.read_text()
