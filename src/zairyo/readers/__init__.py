"""Vendor files → the standard form, one module a format."""
