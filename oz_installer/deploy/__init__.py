"""Carrying a plan out: phases, events, record."""
