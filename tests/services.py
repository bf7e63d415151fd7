"""PostgreSQL, Redis and a state folder of the tests' own.

Loaded with `-p tests.services`, so that the environment is set before Django reads its settings. The servers start when the
first test wants the database and end with pytest. Should pytest be killed, the kernel ends them (parent death signal), and
the next run removes the folder.
"""

from __future__ import annotations

import atexit
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psycopg
import pytest
import redis

from demo.paths import state_dir
from demo.ports import LOOPBACK

ROLE = "hearth"
FOLDER = re.compile(r"hearth-test-(\d+)-")
START_S = 20.0


class Server:
    """A server process on its own port. It can be stopped, killed and started again, as a fault test wants it."""

    def __init__(
        self, name: str, argv: Sequence[str], log: Path, answers: Callable[[], bool], *, user: str = ""
    ) -> None:
        self.name, self.log, self.answers = name, log, answers
        drop = [f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        self.argv = ["setpriv", *drop, "--pdeathsig", "QUIT" if user else "KILL", *argv]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it unless it runs; return when it answers."""
        if not self.is_running:
            with self.log.open("ab") as log:
                self.process = subprocess.Popen(
                    self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
                )
        end = time.monotonic() + START_S
        while not self.answers():
            if not self.is_running or time.monotonic() > end:
                raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it, politely by default."""
        if self.process is None:
            return
        if self.is_running:
            self.process.send_signal(number)
        self.process.wait(timeout=START_S)
        self.process = None


class Services:
    """Both servers and the folder they and the code under test live in."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"hearth-test-{os.getpid()}-"))
        self.folder.chmod(0o711)  # PostgreSQL's user has to pass through
        self.state = self.folder / "state"
        self.state.mkdir(mode=0o700)
        self.postgres_port, self.redis_port = free_ports(2)
        self.postgres = self._postgres()
        self.redis = self._redis()

    def environment(self) -> dict[str, str]:
        """What Hearth's settings read."""
        return {
            "HEARTH_STATE": str(self.state),
            "HEARTH_HTTPS": "0",
            "HEARTH_LOG_LEVEL": "INFO",
            "DATABASE_URL": self.database_url(ROLE),
            "REDIS_URL": f"redis://{LOOPBACK}:{self.redis_port}/0",
        }

    def database_url(self, name: str) -> str:
        return f"postgresql://{ROLE}@{LOOPBACK}:{self.postgres_port}/{name}"

    def start(self) -> None:
        """Start what does not run. PostgreSQL's folder is a copy of one that was made once."""
        data = self.folder / "postgres"
        if not data.exists():
            subprocess.run(["cp", "-a", str(_initialised()), str(data)], check=True)
        self.redis.start()
        self.postgres.start()

    def stop(self) -> None:
        """End both, at once, and remove the folder."""
        self.redis.stop(signal.SIGKILL)
        self.postgres.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _postgres(self) -> Server:
        """Nothing is flushed to the disk: a killed server keeps what it wrote, only a power loss would not."""
        settings = {"port": self.postgres_port, "listen_addresses": LOOPBACK, "unix_socket_directories": ""}
        settings |= {"fsync": "off", "full_page_writes": "off", "shared_buffers": "32MB", "max_connections": 100}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        argv = [_program("postgres"), "-D", str(self.folder / "postgres"), *options]
        return Server("PostgreSQL", argv, self.folder / "postgres.log", self._postgres_answers, user=_user())

    def _postgres_answers(self) -> bool:
        try:
            psycopg.connect(self.database_url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _redis(self) -> Server:
        """Nothing is kept: a stopped Redis comes back empty, which is the worst that can happen to the queue."""
        where = ["--bind", LOOPBACK, "--port", str(self.redis_port), "--dir", str(self.folder)]
        argv = ["redis-server", *where, "--save", "", "--appendonly", "no"]
        return Server("Redis", argv, self.folder / "redis.log", self._redis_answers)

    def _redis_answers(self) -> bool:
        with redis.Redis(host=LOOPBACK, port=self.redis_port) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


def _initialised() -> Path:
    """A PostgreSQL data folder to copy: made on the first run, two seconds that every later run saves."""
    version = re.sub(r"[^0-9.]", "", subprocess.check_output([_program("postgres"), "--version"], text=True).split()[2])
    made = state_dir() / f"test-postgresql-{version}-{_user() or 'own'}"
    if made.exists():
        return made
    with tempfile.TemporaryDirectory(prefix="hearth-initdb-") as folder:
        data = Path(folder) / "data"
        if user := _user():
            os.chown(folder, *pwd.getpwnam(user)[2:4])
        how = ["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
        argv = [_program("initdb"), f"--pgdata={data}", f"--username={ROLE}", *how]
        drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups"] if user else []
        subprocess.run([*drop, *argv], check=True, stdout=subprocess.DEVNULL, cwd="/")
        draft = made.with_name(f"{made.name}.{os.getpid()}")
        subprocess.run(["cp", "-a", str(data), str(draft)], check=True)
    try:
        draft.rename(made)
    except OSError:  # somebody else was faster
        shutil.rmtree(draft)
    return made


def _user() -> str:
    """PostgreSQL refuses to run as root: whom it runs as instead. Empty where nothing has to change."""
    if os.geteuid() != 0:
        return ""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody", "daemon") if name in names)


def _program(name: str) -> str:
    """Debian keeps PostgreSQL's programs out of PATH, one folder a version."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")]))
    if found is None:
        raise RuntimeError(f"{name} is not installed. Run: demo/packages.sh run demo test")
    return found


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind((LOOPBACK, 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _remove_leftovers() -> None:
    """Folders of runs that were killed. Their servers died with them."""
    for folder in Path(tempfile.gettempdir()).glob("hearth-test-*-*"):
        owner = FOLDER.match(folder.name)
        if owner and folder.stat().st_uid == os.getuid() and not Path(f"/proc/{owner[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _interrupt(*_: object) -> None:
    """SIGTERM ends pytest as Ctrl-C does: fixtures are torn down."""
    raise KeyboardInterrupt


_remove_leftovers()
services = Services()
atexit.register(services.stop)
os.environ |= services.environment()
for _name in ("HEARTH_DEBUG", "HEARTH_DEMO", "HEARTH_SECRET_KEY", "HEARTH_CSRF_ORIGINS", "HEARTH_ALLOWED_HOSTS"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    """Ended by a signal, pytest still tidies up."""
    signal.signal(signal.SIGTERM, _interrupt)
