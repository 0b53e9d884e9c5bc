"""Everything that uses private names of Textual, each with a guard test."""
