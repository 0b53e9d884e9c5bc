"""Answers while editing: the working copy, drafts on disk, and saving."""
