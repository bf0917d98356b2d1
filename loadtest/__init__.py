"""A stranger with a stopwatch: speaks the wire protocol, starts its servers by the command line, and measures.

It imports nothing of the project but `hub.protocol`, and never looks behind the socket to make a figure better.
"""
