"""The commands without a wizard: one file per command prompts, calls the use case and prints."""
