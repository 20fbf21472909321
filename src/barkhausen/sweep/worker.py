"""What each worker process of a local cluster loads: a watch that ends it with the process that started it.

Dask's own watch ends the event loop, which a task in the middle of an epoch does not notice.
"""

from __future__ import annotations

import multiprocessing
import os
import threading


def dask_setup(worker: object) -> None:
    """Called by dask when the worker starts."""
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
