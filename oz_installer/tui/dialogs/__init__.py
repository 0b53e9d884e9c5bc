"""What asks something in front of a screen and goes away with the answer."""
