"""/metrics: the service's numbers as Prometheus reads them."""

from collections.abc import Iterator

from flask import Blueprint, Flask, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from pose_service import __version__
from pose_service.runtime.hub import ModelHub
from pose_service.web.request_log import elapsed_s, noted
from pose_service.web.service import Service, service

blueprint = Blueprint("metrics", __name__)

UNKNOWN_ROUTE = "unknown"
"""The one label of all paths that are no route, and of all words that are no method."""

_METHODS = ("GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH")
_STATES = ("warming_up", "ready", "not_ready")


def register(app: Flask) -> None:
    """Count every answer of `app`."""
    app.after_request(_count)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answered at once, whatever else is going on."""
    text = generate_latest(service().metrics.registry)
    return Response(text, content_type=CONTENT_TYPE_LATEST)


def watch_state(here: Service) -> None:
    """What the metrics of `here` look up when they are asked for."""
    here.metrics.registry.register(_State(here))


def _count(response: Response) -> Response:
    route = UNKNOWN_ROUTE if request.url_rule is None else request.url_rule.rule
    method = request.method if request.method in _METHODS else UNKNOWN_ROUTE
    numbers = service().metrics
    numbers.answered(route, method, response.status_code, elapsed_s())
    if error_type := noted("error_type"):
        numbers.failed("request", str(error_type))
    return response


class _State(Collector):
    """The state of engine, queue, jobs and card at the moment."""

    def __init__(self, here: Service) -> None:
        self._here = here

    def collect(self) -> Iterator[Metric]:
        yield from _engine(self._here.hub)
        yield from _queues(self._here)
        yield from _card(self._here.hub.state.device or "")

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: asking would need the engine and the jobs."""
        return iter(())


def _engine(hub: ModelHub) -> Iterator[Metric]:
    state = hub.state
    info = {"engine": state.engine or "", "device": state.device or "", "version": __version__}
    yield InfoMetricFamily("pose_service", "What is running", info)
    states = GaugeMetricFamily("pose_engine_state", "1 for the state it is in", labels=["state"])
    for name in _STATES:
        states.add_metric([name], float(state.status == name))
    yield states
    models = GaugeMetricFamily("pose_model_loaded", "1 for a net or body in use", labels=["model"])
    for name, status in state.models.items():
        models.add_metric([name], float(status == "loaded"))
    yield models
    seconds = state.load_seconds
    if seconds is not None:
        yield GaugeMetricFamily("pose_engine_load_seconds", "How long loading took", value=seconds)


def _queues(here: Service) -> Iterator[Metric]:
    counts = {state.value: count for state, count in here.jobs.counts().items()}
    jobs = GaugeMetricFamily("pose_jobs", "Clips that are kept, by state", labels=["state"])
    for state, count in counts.items():
        jobs.add_metric([state], count)
    yield jobs
    waiting = counts.get("queued", 0)
    yield GaugeMetricFamily("pose_queue_clips", "Clips that wait for their turn", value=waiting)
    frames = here.hub.queue_length
    yield GaugeMetricFamily("pose_queue_pictures", "Pictures that wait for the nets", value=frames)
    busy = float(here.hub.busy)
    yield GaugeMetricFamily("pose_nets_busy", "1 while the nets are at work", value=busy)


def _card(device: str) -> Iterator[Metric]:
    """Memory of the card that the nets are on, if there is one."""
    if not device.startswith("cuda"):
        return
    import torch

    free, total = torch.cuda.mem_get_info(device)
    memory = GaugeMetricFamily("pose_gpu_memory_bytes", "Memory of the card", labels=["kind"])
    memory.add_metric(["used"], total - free)
    memory.add_metric(["total"], total)
    memory.add_metric(["tensors"], torch.cuda.memory_allocated(device))
    memory.add_metric(["reserved"], torch.cuda.memory_reserved(device))
    yield memory
