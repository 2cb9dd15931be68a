"""What is brought to a node: rendered files, packages, and the shell that applies them."""
