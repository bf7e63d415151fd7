"""The tests. `tests/services.py` gives them a PostgreSQL and a Redis, `tests/stack.py` nodes, workers and a watch."""
