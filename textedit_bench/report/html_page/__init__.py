"""The picture report: everything a bench found, in one HTML file that needs no network."""
