"""The topology as a picture: text and SVG."""
