"""Checks of licences, tokens and passwords."""
