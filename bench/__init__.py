"""`make bench`: compare the default service with a minimal server on the same stack."""
