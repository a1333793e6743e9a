"""Write tables and pictures, as pure functions of stored records."""
