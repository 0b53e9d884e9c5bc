"""The preflight: what must be true of nodes, database and storage before anything is changed.

A check is one file here, and its line in ``every.py``.
"""
