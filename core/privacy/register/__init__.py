"""Every table and every column of both databases, classified: a module for each room that has tables.

Whoever adds a column adds it here; tests/core/privacy/test_register.py reads PostgreSQL's catalogue and says what is
missing. It holds no data and reads none.
"""
