"""The front end without a wizard: events become a live display, plain lines or JSON lines."""
