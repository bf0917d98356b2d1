"""What an operator may change: settings, and how Payhub's processes are started and stopped.

It imports neither core nor hub nor workers; what it needs of them is passed in by `payhub.py`.
"""
