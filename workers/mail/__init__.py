"""How a mail gets from us to a relay, and how a bounce gets back. It reads no table and writes no text."""
