"""Secrets sent through everything, and a search of every place that keeps anything."""
