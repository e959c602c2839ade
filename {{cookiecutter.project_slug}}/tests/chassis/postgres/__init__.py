"""Tests of PostgreSQL: the pool, the schema, rotation of the address."""
