"""Functions of the wizard alone: choices, role assignment, probes."""
