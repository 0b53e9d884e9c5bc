"""Secrets of an installation: where they come from and where generated ones are kept."""
