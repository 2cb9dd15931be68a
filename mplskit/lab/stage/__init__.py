"""Where a lab is played: network namespaces of one machine, or a virtual machine for each node."""
