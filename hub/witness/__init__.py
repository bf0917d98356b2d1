"""Remembers what others' logs looked like, and signs nothing that contradicts it.

A witness is a process of its own, kept by somebody else than the Payhub whose logs it watches, with a key and a small
store of its own. It sees roots and counts of leaves, never a payment, and knows no PostgreSQL and no Redis.
"""
