"""The service's Prometheus metrics. Labels hold our own names, never what a caller sent."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

BOUNDS: Final = _SECONDS
"""Upper bounds of the buckets of durations."""

OPERATIONS_TOTAL: Final = Counter(
    "strongroom_operations_total", "Operations by name and outcome (ok or an error code)", ["operation", "code"]
)
OPERATION_SECONDS: Final = Histogram(
    "strongroom_operation_seconds", "Duration of operations", ["operation"], buckets=_SECONDS
)
OPERATIONS_IN_FLIGHT: Final = Gauge(
    "strongroom_operations_in_flight", "Operations in flight", multiprocess_mode="livesum"
)
SIGNATURES_TOTAL: Final = Counter(
    "strongroom_signatures_total",
    "Signatures requested from the signer, by result (ok or the reason of failure)",
    ["algorithm", "purpose", "result"],
)
OPENED_KEYS: Final = Gauge(
    "strongroom_opened_keys", "Seeds and derived keys kept open in memory", multiprocess_mode="livesum"
)
UNWRAPS_TOTAL: Final = Counter(
    "strongroom_unwraps_total", "Data keys to unwrap, by result (ok or the reason of failure)", ["result"]
)
KEYWRAP_CALLS_TOTAL: Final = Counter(
    "strongroom_keywrap_calls_total",
    "Calls to Vault by kind and outcome (ok, circuit_open or the fault)",
    ["call", "outcome"],
)
KEYWRAP_SECONDS: Final = Histogram(
    "strongroom_keywrap_seconds", "Duration of calls to Vault, including retries", ["call"], buckets=_SECONDS
)
CIRCUIT_STATE: Final = Gauge(
    "strongroom_circuit_state",
    "Circuit breaker of a component (vault, redis, rpc:network:source:work): 0 closed, 1 half open, 2 open; the "
    "worst of the workers",
    ["component"],
    multiprocess_mode="livemax",
)
CIRCUIT_TRANSITIONS_TOTAL: Final = Counter(
    "strongroom_circuit_transitions_total", "State changes of a circuit breaker", ["component", "to"]
)
CACHE_LOOKUPS_TOTAL: Final = Counter(
    "strongroom_cache_lookups_total",
    "Lookups in a cache tier (memory, redis) by kind of data and result: hit, miss, "
    "expired, forged (a bad MAC, or not written by the service), error, skipped (its "
    "circuit is open)",
    ["kind", "tier", "result"],
)
CACHE_WRITES_TOTAL: Final = Counter(
    "strongroom_cache_writes_total",
    "Writes to a cache tier by kind of data and result: ok, too_large, error, skipped",
    ["kind", "tier", "result"],
)
RATE_CHARGES_TOTAL: Final = Counter(
    "strongroom_rate_charges_total",
    "Charges to rate limits in Redis by result: ok, error, skipped (its circuit is "
    "open). Except for ok, each process allows its share",
    ["result"],
)
RPC_CALLS_TOTAL: Final = Counter(
    "strongroom_rpc_calls_total",
    "Requests to a source of a network by verdict (ok, no, elsewhere, busy, broken, lying, ours)",
    ["network", "source", "question", "verdict"],
)
RPC_SECONDS: Final = Histogram(
    "strongroom_rpc_seconds",
    "Duration of requests that a source answered, by kind of work",
    ["network", "source", "work"],
    buckets=_SECONDS,
)
RPC_COOL_DOWNS_TOTAL: Final = Counter(
    "strongroom_rpc_cool_downs_total", "Times that a source was not asked for a while", ["network", "source"]
)
RPC_LAG_BLOCKS: Final = Gauge(
    "strongroom_rpc_lag_blocks",
    "Blocks by which the last head of a source was behind the best known head; the worst of the workers",
    ["network", "source"],
    multiprocess_mode="livemax",
)
RPC_DISAGREEMENTS_TOTAL: Final = Counter(
    "strongroom_rpc_disagreements_total",
    "Times that the sources' operators contradicted each other, by question",
    ["network", "question"],
)
ALARMS_TOTAL: Final = Counter(
    "strongroom_integrity_alarms_total",
    "Stored data that failed its MAC, seal or comparison; and (foreign_chain) sources that serve a different chain",
    ["kind"],
)
ALERTS_SEEN: Final = Gauge(
    "strongroom_alerts_seen",
    "Lasting conditions that meet an alert rule, as a process sees them; the worst of the workers",
    ["rule"],
    multiprocess_mode="livemax",
)
ALERTS_FIRING: Final = Gauge(
    "strongroom_alerts_firing",
    "Firing alerts of the service and of all tenants, according to the database",
    ["rule"],
    multiprocess_mode="livemax",
)
ALERT_NOTIFICATIONS_TOTAL: Final = Counter(
    "strongroom_alert_notifications_total",
    "Messages to alert channels by result: sent, failed (to be retried), given_up",
    ["channel", "result"],
)
LOG_LINES_LOST_TOTAL: Final = Counter(
    "strongroom_log_lines_lost_total", "Log lines that could not be written or did not fit into the queue"
)
OFFLOADED_TOTAL: Final = Counter(
    "strongroom_offloaded_total",
    "Large documents handled in a thread (run), or refused with 429 (refused)",
    ["result"],
)
OFFLOADED_QUEUE: Final = Gauge(
    "strongroom_offloaded_queue", "Large documents in threads or waiting for one", multiprocess_mode="livesum"
)
ANCHOR_FAILURES_TOTAL: Final = Counter(
    "strongroom_anchor_failures_total", "Audit heads that could not be written outside the database"
)
ANCHOR_FAILING: Final = Gauge(
    "strongroom_anchor_failing", "1 while the audit heads cannot be written", multiprocess_mode="livemax"
)
RESTORED: Final = Gauge(
    "strongroom_restored_database", "1 while a restored database waits to be accepted", multiprocess_mode="livemax"
)
VERIFY_FINDINGS_TOTAL: Final = Counter(
    "strongroom_verify_findings_total", "Findings of the verification, by kind", ["kind"]
)
TRACE_SPANS_TOTAL: Final = Counter(
    "strongroom_trace_spans_total",
    "Spans of recorded traces by result: exported, rejected (by the receiver), failed (not accepted), no_room (in the "
    "queue), not_begun (a whole trace, because the queue was full), trace_full (too many in one trace)",
    ["result"],
)
COMMIT_SECONDS: Final = Histogram("strongroom_commit_seconds", "Duration of a group commit", buckets=_SECONDS)
COMMIT_UNITS: Final = Histogram(
    "strongroom_commit_units", "Units in a group commit", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
COMMITTER_QUEUE: Final = Gauge("strongroom_committer_queue", "Units waiting for a commit", multiprocess_mode="livesum")
TASK_RUNS_TOTAL: Final = Counter(
    "strongroom_task_runs_total",
    "Runs of background work by kind and outcome: ok, failed (to be retried), given_up, lost (to another "
    "process, or cancelled), released (the process ended first), unsettled (the database was down)",
    ["kind", "outcome"],
)
TASK_SECONDS: Final = Histogram(
    "strongroom_task_seconds", "Duration of a run, including settlement", ["kind"], buckets=_SECONDS
)
TASKS_RUNNING: Final = Gauge("strongroom_tasks_running", "Runs in progress", ["kind"], multiprocess_mode="livesum")
TASK_OLDEST_DUE_SECONDS: Final = Gauge(
    "strongroom_task_oldest_due_seconds",
    "Seconds since the oldest unclaimed task became due",
    ["kind"],
    multiprocess_mode="livemax",
)
TASK_EXPIRED_LEASES: Final = Gauge(
    "strongroom_task_expired_leases",
    "Tasks with an expired lease, among the 1,000 that were due first",
    ["kind"],
    multiprocess_mode="livemax",
)
JOB_AGE_SECONDS: Final = Gauge(
    "strongroom_job_age_seconds",
    "Seconds since the last end of a job of many slices (a nightly verification, a purge)",
    ["job"],
    multiprocess_mode="livemax",
)
JOB_FINDINGS: Final = Gauge(
    "strongroom_job_findings",
    "Findings of the current or last round of a job: mismatches of a verification, rows deleted by a purge",
    ["job"],
    multiprocess_mode="livemax",
)
HTTP_REQUESTS_TOTAL: Final = Counter(
    "strongroom_http_requests_total", "HTTP requests by route template", ["route", "method", "status"]
)
HTTP_REQUEST_SECONDS: Final = Histogram(
    "strongroom_http_request_seconds", "Duration of HTTP requests", ["route", "method"], buckets=_SECONDS
)
GRPC_REQUESTS_TOTAL: Final = Counter(
    "strongroom_grpc_requests_total", "gRPC calls by method and status", ["method", "code"]
)
GRPC_REQUEST_SECONDS: Final = Histogram(
    "strongroom_grpc_request_seconds", "Duration of gRPC calls", ["method"], buckets=_SECONDS
)
TLS_RELOADS_TOTAL: Final = Counter(
    "strongroom_tls_reloads_total",
    "Reads of changed TLS files by result: ok, or refused (the old ones stay in use)",
    ["result"],
)
TLS_REFUSED: Final = Gauge("strongroom_tls_refused", "1 while the TLS files are refused", multiprocess_mode="livemax")
TLS_EXPIRY_TIMESTAMP: Final = Gauge(
    "strongroom_tls_expiry_timestamp_seconds",
    "Expiry of the certificate in use, or of the last client authority (client_ca)",
    ["file"],
    multiprocess_mode="livemin",
)
TLS_HANDSHAKES_TOTAL: Final = Counter(
    "strongroom_tls_handshakes_total", "TLS handshakes of REST by result: ok, refused (the log says why)", ["result"]
)
