"""oz-install: puts Oz API on your servers, keeps it as you asked, and says what it did."""

__version__ = "0.1.0"
