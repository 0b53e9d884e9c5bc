"""Checks of a node itself: machine, disk, clock, rights."""
