"""What speaks for a merchant without a person: API keys of programs, and terminals (tills).

It never keeps a secret that it could be asked for again, and never says why one was refused.
"""
