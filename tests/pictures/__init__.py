"""Makes screenshots/: the wizard, driven by keys alone, installs on lab nodes; every screen becomes a picture."""
