"""The preflight: checks of nodes, network, database and storage before anything is changed.

Each check is one file in the folder of its family and one line in ``all_checks.py``.
"""
