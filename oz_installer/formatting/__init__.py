"""What happens and what is planned in plain text, for both front ends: pure functions, no terminal."""
