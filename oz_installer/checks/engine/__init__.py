"""Checks of the container engine, its runtime and published ports."""
