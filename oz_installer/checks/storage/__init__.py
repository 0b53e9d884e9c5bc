"""Checks of the folder or share that holds media."""
