"""Connections to the nodes and the facts read over them."""
