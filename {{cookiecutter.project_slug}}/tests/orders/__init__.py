"""Tests of orders, the example of this service."""
