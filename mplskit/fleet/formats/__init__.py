"""What `node.render` writes: the payload of each node, for those who carry it to the nodes themselves."""
