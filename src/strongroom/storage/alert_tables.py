"""The tables of alerts. Each row has a MAC, because whoever could write them could suppress an alert."""

from __future__ import annotations

from sqlalchemy import Index, PrimaryKeyConstraint, Table

from strongroom.storage.tables import _id, _mac, _text, _time, metadata

sightings = Table(
    "sightings",
    metadata,
    _id("id"),
    _text("rule"),
    _text("subject"),
    _id("tenant_id", nullable=True),
    _time("seen_at"),
    _time("told_at", nullable=True),
    _text("facts"),
    _mac(),
    PrimaryKeyConstraint("id"),
)

alerts = Table(
    "alerts",
    metadata,
    _id("id"),
    _text("rule"),
    _text("subject"),
    _id("tenant_id", nullable=True),
    _text("severity"),
    _text("state"),
    _time("since"),
    _time("seen_at"),
    _time("ended_at", nullable=True),
    _time("told_at", nullable=True),
    _time("told_of", nullable=True),
    _text("facts"),
    _mac(),
    PrimaryKeyConstraint("id"),
)
Index("ix_alerts_tenant_id", alerts.c.tenant_id, alerts.c.id)

silences = Table(
    "silences",
    metadata,
    _id("id"),
    _text("rule"),
    _text("subject"),
    _id("tenant_id"),
    _time("until"),
    _id("principal_id"),
    _time("created_at"),
    _mac(),
    PrimaryKeyConstraint("id"),
)
Index("ix_silences_rule", silences.c.rule, silences.c.subject)

notifications = Table(
    "notifications",
    metadata,
    _id("id"),
    _id("alert_id"),
    _id("tenant_id", nullable=True),
    _text("channel"),
    _text("message"),
    _text("rule"),
    _text("subject"),
    _text("severity"),
    _time("since"),
    _text("facts"),
    _text("state"),
    _text("error", nullable=True),
    _time("created_at"),
    _time("ended_at", nullable=True),
    _mac(),
    PrimaryKeyConstraint("id"),
)
Index("ix_notifications_alert_id", notifications.c.alert_id, notifications.c.id)
