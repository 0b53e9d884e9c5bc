"""What the app does beside showing screens: files, drafts, validation, jobs."""
