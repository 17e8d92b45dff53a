"""Prometheus metrics of the service. Labels hold names of ours, never what a caller sent."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

OPERATIONS_TOTAL: Final = Counter(
    "strongroom_operations_total", "Operations by name and outcome (ok or an error code)", ["operation", "code"]
)
OPERATION_SECONDS: Final = Histogram(
    "strongroom_operation_seconds", "Duration of operations", ["operation"], buckets=_SECONDS
)
OPERATIONS_IN_FLIGHT: Final = Gauge(
    "strongroom_operations_in_flight", "Operations under way", multiprocess_mode="livesum"
)
SIGNATURES_TOTAL: Final = Counter(
    "strongroom_signatures_total",
    "Signatures that the signer was asked for, by result (ok or why not)",
    ["algorithm", "purpose", "result"],
)
OPENED_KEYS: Final = Gauge(
    "strongroom_opened_keys", "Seeds and derived keys kept open in memory", multiprocess_mode="livesum"
)
UNWRAPS_TOTAL: Final = Counter(
    "strongroom_unwraps_total", "Data keys that the key wrap was asked to unwrap, by result (ok or why not)", ["result"]
)
KEYWRAP_CALLS_TOTAL: Final = Counter(
    "strongroom_keywrap_calls_total",
    "Calls of Vault by what was asked for and outcome (ok, circuit_open or what was the matter)",
    ["call", "outcome"],
)
KEYWRAP_SECONDS: Final = Histogram(
    "strongroom_keywrap_seconds", "Duration of calls of Vault, retries included", ["call"], buckets=_SECONDS
)
CIRCUIT_STATE: Final = Gauge(
    "strongroom_circuit_state",
    "Circuit breaker before a component (vault, redis, rpc:network:source:work): 0 closed, 1 half open, 2 open; the "
    "worst of the workers",
    ["component"],
    multiprocess_mode="livemax",
)
CIRCUIT_TRANSITIONS_TOTAL: Final = Counter(
    "strongroom_circuit_transitions_total", "Changes of a circuit breaker", ["component", "to"]
)
CACHE_LOOKUPS_TOTAL: Final = Counter(
    "strongroom_cache_lookups_total",
    "Lookups in a tier (memory, redis) by kind of data and result: hit, miss, expired, forged (a bad MAC, or nothing "
    "that we wrote), error, skipped (its circuit is open)",
    ["kind", "tier", "result"],
)
CACHE_WRITES_TOTAL: Final = Counter(
    "strongroom_cache_writes_total",
    "Writes to a tier by kind of data and result: ok, too_large, error, skipped",
    ["kind", "tier", "result"],
)
RPC_CALLS_TOTAL: Final = Counter(
    "strongroom_rpc_calls_total",
    "Questions to a source of a network by verdict (ok, no, elsewhere, busy, broken, lying, ours)",
    ["network", "source", "question", "verdict"],
)
RPC_SECONDS: Final = Histogram(
    "strongroom_rpc_seconds",
    "Duration of questions to a source that it answered, by the kind of work",
    ["network", "source", "work"],
    buckets=_SECONDS,
)
RPC_COOL_DOWNS_TOTAL: Final = Counter(
    "strongroom_rpc_cool_downs_total", "Times that a source was left alone for a while", ["network", "source"]
)
RPC_LAG_BLOCKS: Final = Gauge(
    "strongroom_rpc_lag_blocks",
    "Blocks by which the last head of a source was behind the best that was known; the worst of the workers",
    ["network", "source"],
    multiprocess_mode="livemax",
)
RPC_DISAGREEMENTS_TOTAL: Final = Counter(
    "strongroom_rpc_disagreements_total",
    "Times that operators contradicted each other, by question",
    ["network", "question"],
)
ALARMS_TOTAL: Final = Counter(
    "strongroom_integrity_alarms_total",
    "Stored data that failed its MAC, seal or comparison; and (foreign_chain) a source that serves another chain",
    ["kind"],
)
LOG_LINES_LOST_TOTAL: Final = Counter(
    "strongroom_log_lines_lost_total", "Log lines that could not be written, or found no room in the queue"
)
OFFLOADED_TOTAL: Final = Counter(
    "strongroom_offloaded_total",
    "Large documents handed to a thread (run), or told to come again (refused)",
    ["result"],
)
OFFLOADED_QUEUE: Final = Gauge(
    "strongroom_offloaded_queue", "Large documents in threads or waiting for one", multiprocess_mode="livesum"
)
ANCHOR_FAILURES_TOTAL: Final = Counter(
    "strongroom_anchor_failures_total", "Heads of the audit that could not be kept outside the database"
)
ANCHOR_FAILING: Final = Gauge(
    "strongroom_anchor_failing", "1 while heads of the audit cannot be kept", multiprocess_mode="livemax"
)
RESTORED: Final = Gauge(
    "strongroom_restored_database", "1 while a restored database waits to be accepted", multiprocess_mode="livemax"
)
VERIFY_FINDINGS_TOTAL: Final = Counter(
    "strongroom_verify_findings_total", "What verification found, by kind of finding", ["kind"]
)
COMMIT_SECONDS: Final = Histogram("strongroom_commit_seconds", "Duration of a group commit", buckets=_SECONDS)
COMMIT_UNITS: Final = Histogram(
    "strongroom_commit_units", "Units in a group commit", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256)
)
COMMITTER_QUEUE: Final = Gauge("strongroom_committer_queue", "Units that wait", multiprocess_mode="livesum")
TASK_RUNS_TOTAL: Final = Counter(
    "strongroom_task_runs_total",
    "Runs of background work by kind and outcome: ok, failed (it is tried again), given_up (it is not), lost (another "
    "process has it, or it was cancelled), released (the process ended first), unsettled (the database was away)",
    ["kind", "outcome"],
)
TASK_SECONDS: Final = Histogram(
    "strongroom_task_seconds", "Duration of a run, settlement included", ["kind"], buckets=_SECONDS
)
TASKS_RUNNING: Final = Gauge("strongroom_tasks_running", "Runs under way", ["kind"], multiprocess_mode="livesum")
TASK_OLDEST_DUE_SECONDS: Final = Gauge(
    "strongroom_task_oldest_due_seconds",
    "How long the oldest task has been due that nobody works on",
    ["kind"],
    multiprocess_mode="livemax",
)
TASK_EXPIRED_LEASES: Final = Gauge(
    "strongroom_task_expired_leases",
    "Tasks whose worker did not settle them in its lease, of the 1,000 that were due first",
    ["kind"],
    multiprocess_mode="livemax",
)
JOB_AGE_SECONDS: Final = Gauge(
    "strongroom_job_age_seconds",
    "Since a job of many slices (a nightly verification, a purge) last came to its end",
    ["job"],
    multiprocess_mode="livemax",
)
JOB_FINDINGS: Final = Gauge(
    "strongroom_job_findings",
    "What the present or last round of a job has found: of a verification what does not hold, of a purge what it did "
    "away with",
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
