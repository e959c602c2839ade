"""Exit codes other than 0 and 2, numbered as in sysexits.h; 1 is a crash."""

UNAVAILABLE = 69
"""A backing service is unavailable."""
SOFTWARE = 70
"""The shutdown exceeded its timeout."""
OSERR = 71
"""A port cannot be bound."""
CONFIG = 78
"""The configuration is invalid."""
