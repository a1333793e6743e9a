"""Training of the mini tier, from nothing: `textedit-bench worlds train`."""
