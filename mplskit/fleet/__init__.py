"""Many nodes: an inventory, a bounded pool, a live table, a report; formats and engines that carry the payload."""
