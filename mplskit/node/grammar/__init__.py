"""How a node is described: labels, addresses, routes, sections, and the rules between them."""
