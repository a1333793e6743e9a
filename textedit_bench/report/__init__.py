"""Tables and pictures: pure functions of stored records."""
