"""Merchants' servers are told what happens on the merchants' accounts: in order, signed, at least once.

It knows how far each account has been told at each place, when to try again and what a message says. It never holds a
payment up: what is told is read from the books, after the commit. Workers do the walking (workers/webhooks).
"""
