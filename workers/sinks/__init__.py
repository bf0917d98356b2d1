"""Tells the operator's own systems what is done: which they are, how each is spoken to, and the telling."""
