"""The people of a tenant: who they are, their accounts, how they log in and for how long.

It never moves money, and it never says whether a name, a password or a token was the wrong one.
"""
