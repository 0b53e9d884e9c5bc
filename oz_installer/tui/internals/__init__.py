"""Everything that borrows private names of Textual, each with a guard test."""
