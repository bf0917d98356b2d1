"""The wire: every message as a type, every code with its meaning, bytes to types and back.

Pure: no asyncio, no I/O. The AsyncAPI and OpenAPI documents are generated from what is here, and
clients in other languages from those.
"""
