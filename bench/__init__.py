"""The benchmark: oz-install beside two floors and two well-known tools, on lab nodes of its own."""
