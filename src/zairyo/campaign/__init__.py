"""Choose the next experiments: ask, tell, record, explain."""
