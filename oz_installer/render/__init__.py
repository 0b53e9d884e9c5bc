"""Topology to bundles: what each node's files say. Pure; writes nothing."""
