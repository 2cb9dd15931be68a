"""Whether a node is MPLS-ready: what is asked there, and what comes of it."""
