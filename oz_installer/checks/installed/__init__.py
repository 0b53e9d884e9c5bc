"""Checks of what is installed on the nodes already."""
