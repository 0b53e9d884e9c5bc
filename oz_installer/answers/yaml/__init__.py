"""answers.yml as text: parse it with line numbers, convert values, write it."""
