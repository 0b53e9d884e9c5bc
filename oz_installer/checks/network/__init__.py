"""Checks of connections: between nodes, to the internet, to the public URL."""
