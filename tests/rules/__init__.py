"""Rules of the template itself: manifest, seams, ratchet, hooks, `make check`, tools."""
