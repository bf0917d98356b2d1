"""Brings merchants' servers what happened on the merchants' accounts. It knows no payment and holds none up."""
