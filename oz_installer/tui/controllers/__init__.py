"""Controllers of the app: files, drafts, validation, exit, prompts and jobs."""
