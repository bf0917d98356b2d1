"""Everything that is done is told to the operator's own systems of data: as CloudEvents, in order, at least once.

It knows what an event says and how far each tenant's log has been told at each sink. It never holds a payment up: what
is told is read from the log, after the commit. Workers do the telling (workers/sinks).
"""
