"""SSH to a node: connection, authentication, commands, uploads."""
