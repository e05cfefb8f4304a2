"""How gunicorn runs the service: one process that owns the nets, many threads that wait."""

import os
import signal
import threading
from types import FrameType

# One thread for NumPy's matrices, before it is imported: see pose_service/__main__.py.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from pose_service.core.config import read_settings
from pose_service.core.logs import JsonFormatter

_settings = read_settings()
_host = f"[{_settings.host}]" if ":" in _settings.host else _settings.host

bind = f"{_host}:{_settings.port}"
worker_class = "gthread"
workers = 1
threads = _settings.threads
# a clip may be computed for minutes; a worker is never killed for being busy
timeout = 0
graceful_timeout = 30
# longer than Node's clients keep an idle connection: they, not we, close it
keepalive = 75
# the application writes one line per request itself
accesslog = None
if _settings.log_format == "json":
    # gunicorn's own lines too: whoever reads the log reads one kind of line
    logconfig_dict = {
        "root": {"level": "WARNING", "handlers": ["error_console"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "handlers": ["error_console"], "propagate": False}
        },
        "formatters": {"generic": {"()": JsonFormatter}},
    }
# nothing but the port: no socket file in the home folder
control_socket_disable = True


def when_ready(server: Arbiter) -> None:
    """Ctrl-C stops like SIGTERM: frames in flight are finished. The second one stops at once."""
    at_once = signal.getsignal(signal.SIGINT)

    def stop_gently(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, at_once)
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGINT, stop_gently)


def post_worker_init(worker: Worker) -> None:
    """Only the master says when to stop; then clips are given up at once, frames are finished.

    A terminal sends Ctrl-C to the worker too, which must not mind. A clip may need minutes more:
    it stays queued, goes on when the service is back, and who waits for it is told so. That is
    done before the worker ends, while threads can still be started.
    """
    jobs = worker.wsgi.extensions["pose_service"].jobs

    def give_up_clips_then_exit(number: int, frame: FrameType | None) -> None:
        jobs.stop()
        worker.handle_exit(number, frame)

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, worker.handle_exit)
        threading.Thread(target=give_up_clips_then_exit, args=(number, frame)).start()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, stop)
