"""What the hub counts. Names follow Prometheus' conventions; no label holds a person, an account or a token."""

from prometheus_client import Counter, Gauge, Histogram

# From below one local commit to what a client would call a failure.
SECONDS = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1, 2, 5, 10)

connections = Gauge("payhub_connections", "Open WebSocket connections.")
closes = Counter("payhub_connection_closes", "Connections closed by the hub, by close code.", ["code"])
bad_messages = Counter("payhub_bad_messages", "Messages refused before they became a command, by code.", ["code"])
rate_refusals = Counter("payhub_rate_refusals", "Messages refused for coming too fast.")
keys_refusals = Counter(
    "payhub_keys_refusals", "Commands refused because a key could not be had (away), or is refused to us.", ["reason"]
)
payments = Counter("payhub_payments", "Payments answered, by status.", ["status"])
batch_size = Histogram("payhub_batch_payments", "Payments per batch.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256))
batch_seconds = Histogram("payhub_batch_seconds", "From a batch's departure to its commit.", buckets=SECONDS)
waiting = Gauge("payhub_payments_waiting", "Payments that wait for a batch.")
followed = Gauge("payhub_accounts_followed", "Accounts followed on this hub.")
mended = Gauge("payhub_events_mended", "Events read from PostgreSQL because their hint was lost or late.")
redis_up = Gauge("payhub_redis_connected", "1 while hints can be heard.")
hints_dropped = Gauge("payhub_hints_dropped", "Hints dropped because Redis was away or slow.")
hints_forged = Gauge("payhub_hints_forged", "Hints with a wrong signature.")
http_requests = Counter("payhub_http_requests", "HTTP requests, by route and status.", ["route", "status"])
