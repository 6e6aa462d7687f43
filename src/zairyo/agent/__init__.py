"""Beside the instrument: find finished files, spool them, send them, keep the receipts.

Nothing is ever written, changed or deleted in the instrument's folder.
"""
