"""What speaks for a merchant besides the merchant: API keys of programs, terminals (tills), and people in seats.

It never keeps a secret that it could be asked for again, and never says why one was refused.
"""
