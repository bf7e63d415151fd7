"""The RQ worker: jobs run in the worker itself, for every job is short and a fork a job costs more than the job."""

from __future__ import annotations

import time
from typing import Any

import structlog
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from rq.worker import SimpleWorker

log = structlog.get_logger(__name__)
RETRY_S = 1.0


class Worker(SimpleWorker):
    """Runs jobs without forking. One that is killed loses nothing: leases run out and the outbox sends again.

    While Redis does not answer it waits, a second at a time: work goes on as soon as Redis is back.
    """

    max_connection_wait_time = RETRY_S

    def __init__(self, *args: Any, **options: Any) -> None:
        _wait_for(options["connection"])
        super().__init__(*args, **options)


def _wait_for(connection: Redis) -> None:
    """rq gives up when it starts without Redis, and a supervisor waits longer after every such start."""
    waiting = False
    while True:
        try:
            connection.ping()
        except RedisConnectionError as error:
            if not waiting:
                log.warning("queue does not answer", error=str(error))
            waiting = True
            time.sleep(RETRY_S)
        else:
            return
