"""The books: judging and posting payments, and reading accounts, entries and events.

It never decides who may ask; that is the hub's part.
"""
