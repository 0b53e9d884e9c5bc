"""The desired state, computed from the answers: topology, secrets, licences, files."""
