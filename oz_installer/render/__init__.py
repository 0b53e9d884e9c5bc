"""Render each node's files from the topology. Pure; writes nothing."""
