"""A laboratory in a folder: the real server, three instruments with real agents, real files that arrive."""
