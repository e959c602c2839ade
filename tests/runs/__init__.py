"""Renders that are run: their processes, containers and updates."""
