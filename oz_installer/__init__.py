"""Install Oz API on your servers, keep it as configured, report what it did."""

__version__ = "0.1.0"
