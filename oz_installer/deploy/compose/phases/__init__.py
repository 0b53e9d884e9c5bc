"""One file a phase; ``deploy/compose/recipes.py`` says in which order."""
