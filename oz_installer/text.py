"""Text helpers that every room may use."""
