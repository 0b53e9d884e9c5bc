"""One file a phase; ``deploy/recipes.py`` says in which order."""
