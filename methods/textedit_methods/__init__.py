"""The built-in editing methods and controls, one package each, found through entry points."""
