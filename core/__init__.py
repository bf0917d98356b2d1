"""Money and people in PostgreSQL.

Everything that must be true lives here. It knows no socket, no Redis and no environment variable.
"""
