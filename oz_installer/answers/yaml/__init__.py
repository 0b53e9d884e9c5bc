"""The text of answers.yml: parse it with line numbers, convert values, write it."""
