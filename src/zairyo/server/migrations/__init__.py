"""The steps by which the catalogue's tables came to be what ``models`` says; run by ``db.migrate``."""
