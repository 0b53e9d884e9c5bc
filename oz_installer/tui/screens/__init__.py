"""Screens of the wizard, one per step; see ``steps.py``."""
