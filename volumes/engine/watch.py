"""The watch: one thread a node, outside the workers, so that a dead node holds nobody up.

Each thread follows the units of its node (a long poll: one round trip a second, answered at once when a unit ends), reads
the node's facts every FACTS_S, and tells when a node goes silent or comes back. The main thread sweeps the outbox.
It keeps nothing in memory that matters: killed at any time, it starts again from the rows and the nodes.
"""

from __future__ import annotations

import threading
import time
import uuid

import django_rq
import structlog
from django.db import Error, close_old_connections, connection
from redis.exceptions import RedisError

from volumes.engine import facts, outbox, progress
from volumes.engine.link import session
from volumes.models import Node, Snapshot
from volumes.nodes import units
from volumes.nodes.errors import (
    HostKeyChanged,
    HostKeyUnknown,
    KeyRejected,
    NodeError,
    OutcomeUnknown,
    Unreachable,
)

log = structlog.get_logger(__name__)
FACTS_S = 15.0
URGENT_S = 5.0
"""Where there are thick snapshots: they fill up as fast as somebody writes."""
RETRY_S = 3.0
SWEEP_S = 2.0
IDLE_S = 5.0
UNUSABLE = (HostKeyChanged, HostKeyUnknown, KeyRejected)


class NodeWatch(threading.Thread):
    """Follows one node until told to stop."""

    def __init__(self, node_id: uuid.UUID) -> None:
        super().__init__(name=f"watch-{node_id}", daemon=True)
        self.node_id = node_id
        self.nudged = threading.Event()
        self.over = threading.Event()
        self._facts_due = 0.0

    def run(self) -> None:
        """Look, again and again."""
        while not self.over.is_set():
            close_old_connections()
            try:
                self._wait(self._look())
            except Error as error:
                log.warning("database does not answer", node=str(self.node_id), error=str(error))
                connection.close()
                self._wait(RETRY_S)
            except Exception:
                log.exception("watch stumbled", node=str(self.node_id))
                self._wait(RETRY_S)
        connection.close()

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.nudged.wait(seconds)
        self.nudged.clear()

    def _look(self) -> float:
        """One look. Returns the seconds until the next."""
        node = Node.objects.filter(pk=self.node_id).first()
        if node is None:
            self.over.set()
            return 0.0
        following = False
        try:
            following = self._follow(node)
            if time.monotonic() >= self._facts_due:
                self._read_facts(node)
        except (Unreachable, OutcomeUnknown) as error:
            self._lost(node, error)
            outbox.await_node(node.pk, str(error))
            return RETRY_S
        except NodeError as error:  # it answers, so its units are still followed
            self._lost(node, error, broken=True)
            return RETRY_S if following else FACTS_S
        return 0.0 if following else min(IDLE_S, max(0.1, self._facts_due - time.monotonic()))

    def _follow(self, node: Node) -> bool:
        """Whether there are units to follow. Ended units whose operation is over are cleaned away."""
        names = progress.followed(node)
        leftover = progress.leftovers(node)
        if leftover:
            session(node).run(
                *(command for name in leftover for command in units.clean(name)),
                timeout_s=30,
            )
            progress.cleaned(leftover)
        if not names:
            return False
        result = session(node).run(units.watch(names), timeout_s=20)[0]
        if node.state != Node.State.BROKEN:  # it answers; only its facts say that it can be used again
            self._heard(node)
        progress.apply(node, units.parse_watch(result.stdout))
        return True

    def _read_facts(self, node: Node) -> None:
        urgent = Snapshot.objects.filter(volume__pool__node=node, volume__pool__thin_pool_name="").exists()
        self._facts_due = time.monotonic() + (URGENT_S if urgent else FACTS_S)
        facts.refresh(node)
        self._heard(node)

    def _heard(self, node: Node) -> None:
        was_up = node.is_up
        node.heard()
        if not was_up:
            log.info("node answers", node=node.name)
        outbox.wake_node(node.pk)

    def _lost(self, node: Node, error: NodeError, *, broken: bool = False) -> None:
        if node.is_up:
            log.warning("node does not answer", node=node.name, error=str(error))
        node.lost(str(error), broken=broken or isinstance(error, UNUSABLE))
        self._facts_due = 0.0


class Watch:
    """All node threads, and the sweep."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self._threads: dict[uuid.UUID, NodeWatch] = {}
        self._sweep_due = 0.0

    def run(self) -> None:
        """Until `over` is set."""
        while not self.over.is_set():
            try:
                close_old_connections()
                self._keep_threads()
                if time.monotonic() >= self._sweep_due:
                    self._sweep_due = time.monotonic() + SWEEP_S
                    outbox.sweep()
            except Error as error:
                log.warning("database does not answer", error=str(error))
                connection.close()
                self.over.wait(1.0)
            except Exception:
                log.exception("watch stumbled")
                self.over.wait(1.0)
            self._take_nudges()
        for thread in self._threads.values():
            thread.over.set()
            thread.nudged.set()

    def _keep_threads(self) -> None:
        wanted = set(Node.objects.exclude(host_key="").values_list("pk", flat=True))
        for gone in set(self._threads) - wanted:
            self._threads.pop(gone).over.set()
        for node_id in wanted:
            thread = self._threads.get(node_id)
            if thread is None or not thread.is_alive():
                self._threads[node_id] = NodeWatch(node_id)
                self._threads[node_id].start()

    def _take_nudges(self) -> None:
        """Wait up to a second for news of units just started."""
        try:
            redis = django_rq.get_connection("default")
            if redis.blpop([outbox.WAKE_KEY], timeout=1) is None:
                return
            redis.delete(outbox.WAKE_KEY)
            for thread in self._threads.values():
                thread.nudged.set()
        except (RedisError, OSError):
            self.over.wait(1.0)
