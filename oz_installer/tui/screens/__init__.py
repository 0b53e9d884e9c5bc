"""One screen a step; ``steps.py`` says which."""
