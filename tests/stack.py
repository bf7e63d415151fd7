"""The whole console without its pages, on real nodes: fixture `stack`.

Two workers and the watch run as processes of their own against the test's PostgreSQL and Redis; two guests are the nodes.
All of it can be killed, cut off, stopped and brought back; afterwards the fixture puts everything right again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from tests.machines import Machine, each, lab
from tests.nursery import Nursery
from tests.processes import Deaths, Process, until
from tests.services import services
from volumes.engine import facts
from volumes.models import MOVING, SNAPSHOT_MOVING, Node, Operation, Pool, Project, Snapshot, User, Volume
from volumes.nodes import control
from volumes.nodes.keys import authorized_keys_line, ensure_key
from volumes.operations import create_snapshot, create_volume, delete_volume

WORKERS = 2
LOG_LINES = 60


class Console:
    """The processes. They outlive a test."""

    def __init__(self) -> None:
        self.deaths = Deaths(services.folder)
        self.nursery = Nursery(services.folder, services.database_url(str(connection.settings_dict["NAME"])))
        words = ["rqworker", "--verbosity", "0", "default"]
        self.workers = [Process(f"worker-{n}", words, services.folder) for n in range(1, WORKERS + 1)]
        self.watch = Process("watch", ["watch"], services.folder)
        self._starting = threading.Lock()

    @property
    def processes(self) -> list[Process]:
        return [*self.workers, self.watch]

    def start(self) -> None:
        """Start whatever does not run, as the supervisor would."""
        with self._starting:
            for process in self.processes:
                process.start(self.nursery)

    def kill(self) -> None:
        for process in self.processes:
            process.kill()


class Stack:
    """What a test on nodes works with."""

    def __init__(self, console: Console, machines: dict[str, Machine], project: Project, actor: User) -> None:
        self.workers, self.watch, self.deaths = console.workers, console.watch, console.deaths
        self.revive = console.start
        self.machines = machines
        self.node1, self.node2 = machines["node-1"], machines["node-2"]
        self.redis, self.postgres = services.redis, services.postgres
        self.project, self.actor = project, actor
        self.thick = _register(self.node1, "stack-volumes")
        self.thin = _register(self.node2, "fast", "thin")

    # Asking

    def ask_create(self, **asked: Any) -> list[Operation]:
        """Ask for volumes of alpha as alice; the size is 1 GiB unless said."""
        return create_volume.request(**{"project": self.project, "actor": self.actor, **asked})

    def create(self, **asked: Any) -> Volume:
        """Create one and wait until it is there."""
        (operation,) = self.ask_create(**asked)
        self.wait_for(operation)
        return self.volume(operation)

    def ask_delete(self, volume: Volume) -> Operation:
        return delete_volume.request(volume, actor=self.actor)

    def delete(self, volume: Volume, *, status: str = "succeeded") -> Operation:
        """Delete it and wait for the end."""
        return self.wait_for(self.ask_delete(volume), status=status)

    def snapshot(self, volume: Volume, **asked: Any) -> Snapshot:
        """Take a snapshot and wait until it is there."""
        operation = self.wait_for(create_snapshot.request(volume, actor=self.actor, **asked))
        return Snapshot.objects.select_related("volume__pool__node").get(pk=operation.target_id)

    def volume(self, operation: Operation) -> Volume:
        return Volume.objects.select_related("pool__node").get(pk=operation.target_id)

    def machine(self, volume: Volume) -> Machine:
        """The machine a volume is on."""
        assert volume.pool is not None
        return self.machines[volume.pool.node.name]

    # Waiting

    def wait_for(self, operation: Operation, *, status: str = "succeeded", timeout_s: float = 60) -> Operation:
        """Wait until it has ended, and see that it ended as it should."""
        self._until(operation, lambda found: found.is_finished, "it ends", timeout_s)
        assert operation.status == status, self.story(operation)
        return operation

    def wait_for_all(self, operations: list[Operation], *, status: str = "succeeded", timeout_s: float = 60) -> None:
        for operation in operations:
            self.wait_for(operation, status=status, timeout_s=timeout_s)

    def wait_for_step(self, operation: Operation, key: str, status: str = "running", *, timeout_s: float = 30) -> None:
        """Wait until a step is in a status; with "bytes", until its unit has reported progress."""

        def reached(found: Operation) -> bool:
            steps = found.steps.filter(key=key)
            return (steps.filter(bytes_done__gt=0) if status == "bytes" else steps.filter(status=status)).exists()

        self._until(operation, reached, f"step {key} is {status}", timeout_s)

    def wait_until_waiting(self, operation: Operation, what: str, *, timeout_s: float = 60) -> None:
        """Wait until it waits for a unit, a place or the node."""
        self._until(operation, lambda found: found.waits_for == what, f"it waits for a {what}", timeout_s)

    def _until(self, operation: Operation, check: Any, what: str, timeout_s: float) -> None:
        def passed() -> bool:
            try:
                operation.refresh_from_db()
                return bool(check(operation))
            except (OperationalError, InterfaceError):  # the database is being restarted
                connection.close()
                return False

        try:
            until(what, passed, timeout_s=timeout_s)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.story(operation)}") from None

    # Judging

    def story(self, operation: Operation) -> str:
        """The operation, its steps and what the processes said: what one wants to read when a test fails."""
        operation.refresh_from_db()
        lines = [
            f"{operation.title}: {operation.status} {operation.waits_for} {operation.waits_text} {operation.reason}"
        ]
        lines += [f"  state {operation.state}", *operation.traceback.splitlines()]
        for step in operation.steps.all():
            lines.append(f"  {step.round}.{step.number} {step.key}: {step.status} {step.bytes_done or ''} {step.note}")
            for command in step.commands:
                lines.append(f"      {command['exit_code']} {' '.join(command['argv'])[:160]}")
                lines += [f"        {line}" for line in command["output"].splitlines()[-5:]]
        for process in (*self.workers, self.watch):
            process.say_where()
            lines.append(f"--- {process.name}{'' if process.is_running else ' (dead)'}")
            lines += process.new_log().splitlines()[-LOG_LINES:]
        return "\n".join(lines)

    def assert_at_rest(self) -> None:
        """Nothing moves; every LV of ours has its row, every row its LV; no unit runs, and those that ended are cleaned away."""
        assert not Operation.objects.unfinished().exists(), [str(o) for o in Operation.objects.unfinished()]
        assert not Volume.objects.filter(status__in=MOVING).exists()
        assert not Snapshot.objects.filter(status__in=SNAPSHOT_MOVING).exists()
        for machine in self.machines.values():
            rows = Volume.objects.filter(pool__node__name=machine.name)
            leaning = Snapshot.objects.filter(volume__pool__node__name=machine.name)
            expected = {row.lv_name for row in (*rows, *leaning) if row.allocated_at is not None}
            assert {name for name, lv in machine.lvs().items() if lv.is_ours} == expected, machine.name
            until(f"no unit is left on {machine.name}", lambda node=machine: node.units() == [])


def _register(machine: Machine, vg_name: str, thin_pool_name: str = "") -> Pool:
    """Node and pool as rows. The guests' disks were blank, so what is free reads as zeroes."""
    guest = machine.guest
    node = Node.objects.create(name=machine.name, address="127.0.0.1", ssh_port=guest.port, host_key=guest.host_key)
    return Pool.objects.create(node=node, vg_name=vg_name, thin_pool_name=thin_pool_name, free_space_is_clean=True)


def _read_facts(stack: Stack) -> None:
    for pool in (stack.thick, stack.thin):
        facts.refresh(pool.node)
        pool.node.heard()
        pool.refresh_from_db()


@pytest.fixture(scope="session")
def machines() -> Iterator[dict[str, Machine]]:
    """The guests, once for the whole run."""
    with lab(authorized_keys_line(ensure_key(services.state))) as machines:
        yield machines
        control.close_all(services.state)


@pytest.fixture(scope="session")
def console(django_db_setup: None) -> Iterator[Console]:
    """The processes. They end before the database they are connected to goes away."""
    console = Console()
    yield console
    console.kill()
    console.nursery.close()


@pytest.fixture
def stack(console: Console, machines: dict[str, Machine], queue: Any, alice: User, alpha: Project) -> Iterator[Stack]:
    """Nodes without a trace of earlier tests, their rows, and the processes at work on them."""
    for process in console.processes:
        process.forget_log()
    console.deaths.forget()
    each(machines, "tidy")
    stack = Stack(console, machines, alpha, alice)
    _read_facts(stack)
    console.start()
    yield stack
    services.postgres.start()
    services.redis.start()
    connection.close()
    console.kill()  # nothing may touch the database while it is emptied, or remember it: content types get new ids
    each(machines, "mend")
