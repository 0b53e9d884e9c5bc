"""The answers: questions, the reader and writer of answers.yml, drafts and secrets."""
