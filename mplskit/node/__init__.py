"""Nodes: described once, rendered into plain files, set up over SSH or inside an image, verified."""
