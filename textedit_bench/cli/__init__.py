"""The command ``textedit-bench``, one thin file per subcommand.

A subcommand's file parses and prints; the work lives in the library and is imported inside the function, so that
``--help`` and the listings start without torch.
"""
