"""The rules of the conformance suite, one file per kind."""
