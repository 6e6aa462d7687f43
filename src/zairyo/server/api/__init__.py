"""The REST api under ``/api/v1`` and the web's files."""
