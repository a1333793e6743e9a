"""Published tables and studies: what is run, what was published, and what the two say of each other."""
