"""Logging in to an SSH server: messages, keys, agent, questions."""
