"""Sinks: one small file each, opened by the name of their type. Other packages offer theirs as entry points of the
group `secondlook.sinks`. A source whose verdicts go back to it is opened as the sink of the same type."""

from __future__ import annotations

from pathlib import Path

from app.connecting import Secrets, opened
from app.model.connection import ConnectionSettings, Sink

BUILT_IN = {
    "webhook": "app.deliver.sinks.webhook:WebhookSink",
    "sql": "app.deliver.sinks.sql:SqlSink",
    "sqs": "app.deliver.sinks.sqs:SqsSink",
    "redis": "app.deliver.sinks.redis:RedisSink",
    "mlflow": "app.deliver.sinks.mlflow:MlflowSink",
    "phoenix": "app.deliver.sinks.phoenix:PhoenixSink",
    "label-studio": "app.deliver.sinks.label_studio:LabelStudioSink",
    "langgraph": "app.deliver.sinks.langgraph:LangGraphSink",
    "langfuse": "app.deliver.sinks.langfuse:LangfuseSink",
}


def open_sink(name: str, settings: ConnectionSettings, secrets: Secrets, root: Path) -> Sink:
    """The sink that `[sinks.NAME]`, or the source of that name, describes. Raises SettingsError."""
    sink: Sink = opened("sink", name, settings, BUILT_IN, secrets, root)
    return sink
