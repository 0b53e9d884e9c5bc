"""The commands without a wizard: one file each, which prompts, runs a use case and prints."""
