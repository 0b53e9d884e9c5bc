"""What will run where: pure functions from answers and catalogue."""
