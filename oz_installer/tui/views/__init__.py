"""Text and rows made from values and events; pure."""
