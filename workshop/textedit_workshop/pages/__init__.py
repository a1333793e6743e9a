"""Generate files of the repository: reference results, tables in the docs, costs, Python versions, the notebook."""
