"""The supervisor as on a system without a forkserver, such as Windows: every process is started afresh."""

import multiprocessing
import sys

from core.runs import supervisor

if __name__ == "__main__":
    multiprocessing.get_all_start_methods = lambda: ["spawn"]
    sys.exit(supervisor.main())
