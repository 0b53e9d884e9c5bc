"""What only the wizard asks for: choices, role assignment, probes."""
