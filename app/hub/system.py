"""Routes for those who run the hub: health, readiness, metrics."""

from __future__ import annotations

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.responses import JSONResponse, Response

from app.desk.base import wall_clock
from app.hub.asking import hub_of
from app.hub.hub import Hub
from db import connections, lists, outbox

router = APIRouter(tags=["system"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Whether the process answers."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """Whether the database answers too; 503 where it does not."""
    with hub_of(request).store.read() as connection:
        connections.health(connection)
    return JSONResponse({"status": "ok"})


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """The backlog, deliveries and connections, as Prometheus reads them. No names of people or cases."""
    registry = CollectorRegistry()
    registry.register(_Metrics(hub_of(request)))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Metrics:
    """Collects once."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> list[GaugeMetricFamily]:
        """All figures."""
        with self._hub.store.read() as connection:
            backlog = lists.backlog(connection, wall_clock())
            health = connections.health(connection)
            sent = outbox.counts(connection)
        cases = GaugeMetricFamily("secondlook_cases", "Cases by queue and state.", labels=["queue", "state"])
        overdue = GaugeMetricFamily("secondlook_cases_overdue", "Cases past their due time.", labels=["queue", "state"])
        for row in backlog:
            cases.add_metric([row.queue, row.state], row.n)
            overdue.add_metric([row.queue, row.state], row.overdue or 0)
        ok = GaugeMetricFamily("secondlook_connection_ok", "1: it works.", labels=["name", "direction"])
        for one in health:
            ok.add_metric([one.name, one.direction], 1 if one.state == "ok" else 0)
        deliveries = GaugeMetricFamily("secondlook_deliveries", "Verdicts by sink and state.", labels=["sink", "state"])
        for (sink, state), count in sent.items():
            deliveries.add_metric([sink, state], count)
        return [cases, overdue, ok, deliveries]
