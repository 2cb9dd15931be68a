"""mplskit turns plain Debian machines into MPLS routers, and proves that they are."""

__version__ = "0.1.0"
