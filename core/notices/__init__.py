"""What people must be told: from the outbox to notices, and away when they have heard.

It knows when something is owed, not how a phone or a mail server is reached.
"""
