"""Plans, findings, events and summaries as plain text, for both front ends. Pure."""
