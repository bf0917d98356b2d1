"""Strangers' services as they behave and misbehave, for load and fault tests. They know nothing of Payhub."""
