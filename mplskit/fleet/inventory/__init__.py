"""From an inventory, or from flags, to nodes."""
