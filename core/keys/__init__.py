"""Keys of persons, and what keeps them: personal data is read and written through here alone.

A person's data is sealed under a key of that person's; the key is wrapped by a key of the tenant's, and that one by a
master key that only a key service holds. Without its key, what is sealed is noise, wherever a copy of it lies: to
erase a person is to destroy the key. Keys live in a database of their own, so that a backup of the ledger holds none.
It never says what is personal, and it never writes a key or what was sealed into a log, an exception or the trail.
"""
