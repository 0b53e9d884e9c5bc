"""Text and rows for the screens, made from values and events. Pure."""
