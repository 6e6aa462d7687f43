"""Search: one language for the box, the address bar and the api; one index per measurement; facets."""
