"""Tests of the chassis, which is the same in every service."""
