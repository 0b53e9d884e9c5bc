"""The command line: one file per command turns flags into one call."""
