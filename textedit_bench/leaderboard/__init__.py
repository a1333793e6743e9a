"""A public table of results from several places: exported files, and the page made of them."""
