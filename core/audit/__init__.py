"""The audit trail: who did what, when, why and from where, written in the commit of what was done.

It decides nothing and is never changed: not by the serving role, not by the tables' owner.
"""
