"""The topology: which service runs on which node, by pure functions."""
