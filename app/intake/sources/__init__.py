"""Sources: one small file each, opened by the name of their type. Other packages offer theirs as entry points of the
group `secondlook.sources`."""

from __future__ import annotations

from pathlib import Path

from app.connecting import Secrets, opened
from app.model.connection import Source, SourceSettings

BUILT_IN = {
    "folder": "app.intake.sources.folder:FolderSource",
    "sql": "app.intake.sources.sql:SqlSource",
    "sqs": "app.intake.sources.sqs:SqsSource",
    "redis": "app.intake.sources.redis:RedisSource",
    "mlflow": "app.intake.sources.mlflow:MlflowSource",
    "phoenix": "app.intake.sources.phoenix:PhoenixSource",
    "label-studio": "app.intake.sources.label_studio:LabelStudioSource",
    "langgraph": "app.intake.sources.langgraph:LangGraphSource",
    "langfuse": "app.intake.sources.langfuse:LangfuseSource",
}


def open_source(name: str, settings: SourceSettings, secrets: Secrets, root: Path) -> Source:
    """The source that `[sources.NAME]` describes; `root` is the workspace's folder. Raises SettingsError."""
    source: Source = opened("source", name, settings, BUILT_IN, secrets, root)
    return source
