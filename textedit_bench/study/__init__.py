"""Studies with people: a page that asks which edit is better, and what follows from the answers."""
