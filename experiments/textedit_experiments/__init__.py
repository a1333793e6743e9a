"""Published tables and studies, one YAML file each."""
