"""What Oz is, as data: scenarios, releases, components."""
