"""Pushes to phones and browsers, each by its service's own protocol over HTTP/2.

It knows what is sent and where to, nobody's database, and no text of its own; it keeps nothing of what it sent.
"""
