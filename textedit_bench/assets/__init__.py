"""Download files that are not shipped: lists, sources, and verification.

`MANIFESTS` is the folder of the framework's own lists; the entry points of the group ``textedit_bench.assets`` name
more of them.
"""

from importlib.resources import files

MANIFESTS = files(__name__) / "manifests"
