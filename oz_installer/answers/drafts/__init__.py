"""Answers that are being edited: the working copy, drafts on disk, and saving."""
