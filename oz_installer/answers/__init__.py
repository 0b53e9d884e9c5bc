"""What the operator wants."""
