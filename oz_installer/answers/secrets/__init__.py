"""Secrets of an installation: their sources, and the file of generated ones."""
