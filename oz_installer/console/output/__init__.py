"""Output of progress, results and errors: live, as plain lines, as JSON."""
