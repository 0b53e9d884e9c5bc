"""Checks of image registries and images."""
