"""Empties the outbox and waits for the outside world, so that hubs never have to.

A worker owns no truth: killed at any instant, it loses nothing, and another one goes on.
"""
