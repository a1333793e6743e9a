"""Training of the mini tier from scratch: `textedit-bench worlds train`."""
