"""The bundle of a node: its Compose files and configuration files."""
