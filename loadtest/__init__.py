"""A stranger with a stopwatch: speaks the wire protocol, starts its servers by the command line, measures.

It imports nothing of the project but `hub.protocol`, and never looks behind the socket to improve a figure.
"""
