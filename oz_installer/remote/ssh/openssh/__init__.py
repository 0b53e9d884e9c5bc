"""The effective OpenSSH configuration of a host."""
