"""Payments that are asked for in other ways than one at a time: at a later date, again and again, by the file.

It makes Payments of them and never decides about money: that is core.ledger's.
"""
