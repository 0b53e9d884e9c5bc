"""The picture of the topology, as text and SVG."""
