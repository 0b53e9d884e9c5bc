"""The outside world: commands on nodes, over SSH or here."""
