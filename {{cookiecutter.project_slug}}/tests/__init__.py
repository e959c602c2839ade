"""Unit tests and end-to-end tests. A package, so that no dependency with a `tests` hides it."""
