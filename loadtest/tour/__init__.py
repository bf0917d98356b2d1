"""A guided look: people of the demo do with a payment what can be done with one, and it is shown as it happens.

It speaks the wire protocol like any other client, and measures nothing.
"""
