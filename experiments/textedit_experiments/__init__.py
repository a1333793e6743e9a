"""Published tables and studies, one YAML file each."""

from importlib.resources import files

EXPERIMENTS = files(__name__)
"""The folder, for the entry point of the group ``textedit_bench.experiments``."""
