"""Apply a plan: phases, events, record."""
