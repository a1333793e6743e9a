"""Writing a file so that it is there whole or not at all; see `textedit_bench.files`."""

from textedit_bench.files import TEMPORARY, sha256, write_atomically, write_json, write_text

__all__ = ["TEMPORARY", "sha256", "write_atomically", "write_json", "write_text"]
