"""Makes screenshots/: the wizard, driven by keys alone, installs on the lab; every screen is a picture."""
