"""Tests of the template: what it declares, what it renders, and what the render does."""
