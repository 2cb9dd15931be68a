"""A Kconfig tree of some sixty symbols (tests/worlds/small-kconfig), and the compiler that it is loaded with."""

from pathlib import Path

TREE = Path(__file__).parent / "small-kconfig"
ENVIRONMENT = {"CC": "gcc", "CC_VERSION_TEXT": "gcc (Debian 12.2.0-14) 12.2.0"}
