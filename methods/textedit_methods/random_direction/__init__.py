"""Control: a random step as long as the compared method's."""
