"""The phases, one file each; ``deploy/compose/recipes.py`` has their order."""
