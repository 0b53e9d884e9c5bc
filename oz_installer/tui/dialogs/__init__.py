"""Dialogs: modal screens that return an answer."""
