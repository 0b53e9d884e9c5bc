"""Deployment with Compose on nodes: facts, plan, recipes, phases."""
