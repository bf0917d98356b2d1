"""The places outside the database that keep signed heads: append-only files, a bucket with Object Lock, witnesses.

Each is written to by itself and may be away without harm to payments or to the others; it catches up.
"""
