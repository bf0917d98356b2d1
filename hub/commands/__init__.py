"""What each command does: one handler per message type, the same for WebSocket and HTTP.

Handlers know nothing of sockets and requests, and move no money themselves: core does.
"""
