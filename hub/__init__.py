"""Turns frames into commands, and changes into frames.

It never decides about money: that is core's, and every answer leaves only after core has committed.
"""
