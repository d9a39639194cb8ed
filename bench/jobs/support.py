"""What the children in Python share; see support.mjs."""

import json
import re
import resource
import sys
import time

task = json.loads(sys.argv[1])


def measure(version, work):
    """Times `work`, which gives (rows, save) and maybe more to print, and prints the answer; see support.mjs."""
    started_at = time.time() * 1000
    start = time.perf_counter()
    rows, save, *more = work()
    seconds = time.perf_counter() - start
    peak = peak_rss()
    if task["check"] and save is not None:
        save(f"{task['out']}/decoded.parquet")
    answer = {"version": version, "startedAt": started_at, "seconds": seconds, "peakRssBytes": peak, "rows": rows}
    answer.update(*more)
    print(json.dumps(answer))


def peak_rss():
    if sys.platform == "linux":
        with open("/proc/self/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1)) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
