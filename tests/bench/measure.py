"""CPU time and memory of a server: its process and all its descendants, from /proc. Times are in seconds, sizes in bytes."""
import os
import re


def processes_of(pid):
    found = [pid]
    for parent in found:  # grows while it is read: children of children
        for thread in os.listdir(f"/proc/{parent}/task"):
            with open(f"/proc/{parent}/task/{thread}/children") as file:
                found += [int(child) for child in file.read().split()]
    return found


def _threads_time(pid):
    """Nanosecond clocks of the live threads; None where the kernel keeps none."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat") as file:
                total += int(file.read().split()[0])
        except OSError:
            return None
    return total / 1e9 if total else None


def _ticks_time(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_time(pid):
    total = 0.0
    for process in processes_of(pid):
        precise = _threads_time(process)
        total += _ticks_time(process) if precise is None else precise
    return total


def memory(pid):
    """PSS: what several processes share counts once in the sum. Without the pages of files: a client that maps the same
    libraries would make the server look smaller."""
    total = 0
    for process in processes_of(pid):
        with open(f"/proc/{process}/smaps_rollup") as file:
            total += sum(int(kib) for kib in re.findall(r"^Pss_(?:Anon|Shmem):\s+(\d+) kB", file.read(), re.M)) * 1024
    return total


def cpu_model():
    with open("/proc/cpuinfo") as file:
        found = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.M)
    return found[1] if found else "unknown processor"
