"""Published tables and studies: run them, and compare the results with published values."""
