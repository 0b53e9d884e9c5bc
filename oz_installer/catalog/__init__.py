"""The catalogue: scenarios, releases and components of Oz, as data."""
