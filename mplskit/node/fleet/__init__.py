"""Many nodes at once: a bounded pool, a live table, a report."""
