"""What `manage.py rqcron console/cron.py` sends to the queue, and when.

Nodes are followed by the watch, which needs no worker. These are the jobs that any worker may do.
"""

from rq.cron import register

from volumes import housekeeping

register(housekeeping.sweep, "default", interval=10)
register(housekeeping.grow_snapshots, "default", interval=5)
register(housekeeping.reconcile_rows, "default", interval=30)
register(housekeeping.forget_old, "default", cron="17 3 * * *")
