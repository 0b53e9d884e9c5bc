"""Answers to the desired state: topology, secrets, licences, files."""
