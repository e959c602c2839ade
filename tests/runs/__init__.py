"""Renders that are started and driven: their processes, containers and updates."""
