"""How progress, results and errors are printed: live, as plain lines, as JSON."""
