"""Proof of what was posted: a signed receipt for each payment at once, and a log that nobody can rewrite unseen.

Batches of payments, and the audit trail, become leaves of one Merkle tree per tenant (RFC 6962). It decides nothing
about money and never holds up a payment; whoever holds a receipt can check it without this database.
"""
