"""Tests of HTTP: the application, the server and its connections."""
