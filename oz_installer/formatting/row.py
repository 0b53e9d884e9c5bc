"""A line of text and its look: what formatting makes and front ends colour."""

Row = tuple[str, str]
"""The look is ``good``, ``warning``, ``bad``, ``muted``, ``strong``, ``accent``, or empty."""
