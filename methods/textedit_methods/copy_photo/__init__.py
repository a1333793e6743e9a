"""Control: the photo itself, not even inverted."""
