"""A node's bundle: the Compose file and the files beside it."""
