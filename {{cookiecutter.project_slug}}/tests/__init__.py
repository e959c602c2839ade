"""Tests of the service: units, the HTTP interface, and the real process from outside."""
