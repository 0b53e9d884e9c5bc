"""Checks of PostgreSQL, as each node reaches it."""
