"""Vendor files → the standard form, one module a format.

``registry`` finds the reader for a file, ``invariants`` checks what it returned, ``sandbox`` runs both in a
limited child process, ``delimited`` reads what a YAML description declares.
"""
