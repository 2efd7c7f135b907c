"""Notebooks executed with parameters, each in a process of its own; what fails is told and leaves the old page."""
