"""How packages, versions and suites are written, as regular expressions (Debian Policy 5.6)."""

PACKAGE = r"[a-z0-9][a-z0-9+.-]+"
VERSION = r"[0-9][A-Za-z0-9.+:~-]*"
SUITE = r"[a-z][a-z0-9-]*"
