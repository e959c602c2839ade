"""Exit statuses other than 0 and 2, as sysexits.h names them; 1 is a crash."""

UNAVAILABLE = 69
"""A backing service is not fit for use."""
SOFTWARE = 70
"""Stopping took longer than it may and was cut short."""
OSERR = 71
"""A port cannot be had."""
CONFIG = 78
"""The configuration cannot work."""
