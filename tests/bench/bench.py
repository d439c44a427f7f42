"""Seawall beside nginx: see tests/bench/run, which builds what this needs.

The figure of a load case is the server's CPU time (user and system, every process and thread of it) per completed
request: it does not depend on how fast the load generator is. Servers take turns within a round; the ratio is of the
medians.
"""
import argparse
import datetime
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import measure
from servers import LOAD_CPU, Backend, Server, make_data, nginx_module, version_of

IDLE_CONNECTIONS = 4000
SLEEPING_SCRIPTS = 10000
IDLE_WEBSOCKETS = 9000  # two descriptors each; the hard limit is 20,000
UPLOAD = 10 << 30
MANY_HOSTS = 10000
OPEN_FILE_CACHE = "open_file_cache max=1000 inactive=300s; open_file_cache_valid 300s;"


def wrk(server, path, connections, seconds, *more):
    run = subprocess.run(["taskset", "-c", LOAD_CPU, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout",
                          "30s", *more, server.url(path, False)], capture_output=True, text=True, check=True)
    if "Non-2xx" in run.stdout or "Socket errors" in run.stdout:
        raise SystemExit(f"{server.name}: wrk met errors:\n{run.stdout}{server.messages()}")
    return int(re.search(r"(\d+) requests in", run.stdout)[1])


def wrk_gzip(*arguments):
    return wrk(*arguments, "-H", "Accept-Encoding: gzip")


def h2load(server, path, connections, seconds, protocol=("--h1",)):
    run = subprocess.run(["taskset", "-c", LOAD_CPU, "h2load", *protocol, "-t1", f"-c{connections}", f"-D{seconds}",
                          server.url(path, True)], capture_output=True, text=True, check=True)
    done = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", run.stdout)
    if int(done[1]) == 0 or int(done[2]) or int(done[3]) or " 2xx, 0 3xx, 0 4xx, 0 5xx" not in run.stdout:
        raise SystemExit(f"{server.name}: h2load met errors:\n{run.stdout}{server.messages()}")
    return int(done[1])


def http2(streams):
    """h2load with that many requests of each connection at the same time."""
    return lambda *arguments: h2load(*arguments, protocol=(f"-m{streams}",))


def handshakes(server, path, _, seconds, *how):
    count = str(400 * seconds)
    client = OPTIONS.build + "/tests/bench/bench_handshake"
    run = subprocess.run(["taskset", "-c", LOAD_CPU, client, str(server.tls), count, path, *how],
                         stdout=subprocess.PIPE, text=True, check=True)
    return int(run.stdout)


def resumptions(*arguments):
    return handshakes(*arguments, "resume")


def messages(server, path, connections, seconds):
    run = subprocess.run(["taskset", "-c", LOAD_CPU, OPTIONS.build + "/tests/bench/bench_messages", str(server.plain),
                          str(connections), str(seconds), path], stdout=subprocess.PIPE, text=True, check=True)
    return int(run.stdout)


class Load:
    """CPU microseconds per request under a load."""
    unit = "µs CPU/request"

    def __init__(self, bar, load, path, connections=32, extra="", h2o=True, h2=False):
        self.bar, self.load, self.path, self.connections = bar, load, path, connections
        self.extra, self.h2o, self.h2 = extra, h2o, h2

    def measure(self, name, binary, work):
        with Server(name, binary, work, self.extra, http2=self.h2) as server:
            return self.cost(server)

    def cost(self, server):
        self.load(server, self.path, self.connections, 1)  # caches, and whatever a first second differs by
        before = server.cpu()
        done = self.load(server, self.path, self.connections, OPTIONS.seconds)
        return (server.cpu() - before) / done * 1e6


class Behind:
    """An application that requests are passed on to: bench_backend of a kind, and the location that does. Connections are kept."""

    def __init__(self, kind, how):
        self.kind, self.site = kind, "location /back/ { " + how + " }"

    def server(self, name, binary, work, backend):
        extra = (f"upstream back {{ server 127.0.0.1:{backend.port}; keepalive 64; }}"
                 " proxy_cache_path {folder}/cache keys_zone=cache:1m;")
        return Server(name, binary, work, extra, site=self.site)


HTTP11 = 'proxy_pass http://back/; proxy_http_version 1.1; proxy_set_header Connection "";'
PROXY = Behind("http", HTTP11)
CACHE = Behind("http", HTTP11 + " proxy_cache cache; proxy_cache_valid 1h;")
UPLOADS = Behind("http", HTTP11 + " proxy_request_buffering off; client_max_body_size 0;")
WEBSOCKET = Behind("websocket", "proxy_pass http://back/; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade;"
                                " proxy_set_header Connection upgrade; proxy_read_timeout 1h;")
FASTCGI = Behind("fastcgi", "fastcgi_pass back; fastcgi_keep_conn on; fastcgi_param REQUEST_METHOD $request_method;"
                            " fastcgi_param SCRIPT_FILENAME /app$uri; fastcgi_param QUERY_STRING $query_string;")


class LoadBehind(Load):
    """The same of what an application answers."""

    def __init__(self, bar, behind, load, path, connections=32):
        super().__init__(bar, load, path, connections, h2o=False)
        self.behind = behind

    def measure(self, name, binary, work):
        with Backend(OPTIONS.build, self.behind.kind) as backend, self.behind.server(name, binary, work, backend) as server:
            return self.cost(server)


class Upload:
    """MiB of memory that an upload adds while it passes through to an application."""
    unit, h2o = "MiB", False

    def __init__(self, bar):
        self.bar = bar

    def measure(self, name, binary, work):
        with Backend(OPTIONS.build, UPLOADS.kind) as backend, UPLOADS.server(name, binary, work, backend) as server:
            self._send(server, 1 << 20)  # what the first request brings in once
            before = server.memory()
            return (self._send(server, UPLOAD) - before) / (1 << 20)

    def _send(self, server, size):
        """The most memory that was seen."""
        head = f"POST /back/1k HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        piece, most = bytes(1 << 20), 0
        with socket.create_connection(("127.0.0.1", server.plain)) as client:
            client.sendall(head.encode())
            for sent in range(0, size, len(piece)):
                client.sendall(piece)
                if sent % (1 << 28) == 0:
                    most = max(most, server.memory())
            if not client.makefile("rb").read().startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"{server.name}: the upload was not taken:\n{server.messages()}")
        return most


class Idle:
    """KiB of memory each idle keep-alive connection adds, in a fresh process."""
    unit = "KiB/connection"
    count, path = IDLE_CONNECTIONS, "/1k.html"

    def __init__(self, bar, kind):
        self.bar, self.kind, self.h2o = bar, kind, not kind.startswith("h2")

    def measure(self, name, binary, work):
        with Server(name, binary, work, http2=self.kind.startswith("h2")) as server:
            return self.cost(server)

    def cost(self, server):
        self._hold(server, 50, lambda: None)  # what the first requests bring in once
        before = server.memory()
        return (self._hold(server, self.count, server.memory) - before) / self.count / 1024

    def _hold(self, server, count, look):
        port = server.tls if self.kind.endswith("tls") else server.plain
        program = OPTIONS.build + "/tests/bench/bench_idle"
        client = subprocess.Popen([program, str(port), str(count), self.path, self.kind],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ready = client.stdout.readline().strip() == "ready"
        seen = look() if ready else None
        client.communicate("\n")
        if not ready or client.returncode != 0:
            raise SystemExit(f"{server.name}: the idle connections did not stay:\n{server.messages()}")
        return seen


class IdleWebSockets(Idle):
    """The same of WebSockets that are passed on: both of their connections."""
    count, path = IDLE_WEBSOCKETS, "/back/"

    def __init__(self, bar):
        super().__init__(bar, "websocket")
        self.h2o = False

    def measure(self, name, binary, work):
        with Backend(OPTIONS.build, WEBSOCKET.kind) as backend, WEBSOCKET.server(name, binary, work, backend) as server:
            return self.cost(server)


LUA_MODULES = ("ndk_http_module", "ngx_http_lua_module")
LUA = """
    location = /lua_hello { content_by_lua_block { ngx.say("ok") } }
    location = /lua_checked {
      access_by_lua_block { if ngx.var.http_x_token == "bad" then return ngx.exit(403) end }
      content_by_lua_block { ngx.say("ok") }
    }
    location = /lua_sleep { content_by_lua_block { ngx.shared.asleep:incr("count", 1, 0) ngx.sleep(3600) } }
    location = /lua_asleep { content_by_lua_block { ngx.print(ngx.shared.asleep:get("count") or 0) } }
"""


def lua_server(name, binary, work):
    return Server(name, binary, work, "lua_shared_dict asleep 1m;", site=LUA, modules=LUA_MODULES)


class SleepingScripts(Idle):
    """KiB of memory that each request adds whose script sleeps."""
    unit, count, path, modules = "KiB/request", SLEEPING_SCRIPTS, "/lua_sleep", LUA_MODULES

    def __init__(self, bar):
        super().__init__(bar, "silent")
        self.h2o, self.asked = False, 0

    def measure(self, name, binary, work):
        self.asked = 0
        with lua_server(name, binary, work) as server:
            return self.cost(server)

    def _hold(self, server, count, look):
        self.asked += count
        return super()._hold(server, count, lambda: self._asleep(server) or look())

    def _asleep(self, server):
        """Until all of them are."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with urllib.request.urlopen(server.url("/lua_asleep", False)) as answer:
                if int(answer.read()) == self.asked:
                    return
        raise SystemExit(f"{server.name}: the scripts did not begin:\n{server.messages()}")


class Cost:
    """CPU microseconds that one of a kind adds to a request: what `count` of them add, by that number. `extra` makes them of their
    numbers, `without` is what they are compared with. The figure that counts is the absolute one."""
    unit, h2o = "µs CPU for each", False

    def __init__(self, bar, count, extra, without=lambda numbers: ""):
        self.bar, self.numbers, self.extra, self.without = bar, range(count), extra, without

    def measure(self, name, binary, work):
        loads = [Load(0, wrk, "/1k.html", extra=text(self.numbers)) for text in (self.without, self.extra)]
        without, with_them = (load.measure(name, binary, work) for load in loads)
        return (with_them - without) / len(self.numbers)


def maps(numbers):
    rows = " ".join(f"/page{row} {row};" for row in range(1000))
    return "map_hash_max_size 4096; " + "".join(f"map $uri $map{n} {{ default x; {rows} }} " for n in numbers) + added(f"$map{n}" for n in numbers)


def added(values):
    return f'add_header X "{" ".join(values)}";'


def limits(numbers):
    return "".join(f"limit_req_zone $binary_remote_addr zone=zone{n}:1m rate=1000000r/s; limit_req zone=zone{n} burst=1000000 nodelay; "
                   for n in numbers)


class LuaHello:
    """A script that says a word, in parts of what `return 200` costs the same server."""
    unit, h2o, bar, modules = "of return 200", False, 1.10, LUA_MODULES

    def measure(self, name, binary, work):
        with lua_server(name, binary, work) as server:
            static, script = (Load(0, wrk, path).cost(server) for path in ("/return200", "/lua_hello"))
            return script / static


class LuaAccess:
    """CPU microseconds that a script in the access phase adds."""
    unit, h2o, bar, modules = "µs CPU for each", False, 0.5, LUA_MODULES

    def measure(self, name, binary, work):
        with lua_server(name, binary, work) as server:
            without, checked = (Load(0, wrk, path).cost(server) for path in ("/lua_hello", "/lua_checked"))
            return checked - without


class Start:
    """A configuration of 10,000 virtual hosts: CPU time of -t, or time until it accepts."""
    h2o = False

    def __init__(self, bar, what):
        self.bar, self.what, self.unit = bar, what, {"test": "ms CPU of -t", "listen": "ms until it accepts"}[what]

    def measure(self, name, binary, work):
        extra = "server_names_hash_max_size 65536; server_names_hash_bucket_size 128;"
        server = Server(name, binary, work, extra, hosts=MANY_HOSTS)
        if self.what == "listen":
            begin = time.monotonic()
            with server:
                return (time.monotonic() - begin) * 1e3
        child = subprocess.Popen(["taskset", "-c", "0", *server.arguments("-t", "-q")])
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise SystemExit(f"{name}: -t failed with {MANY_HOSTS} hosts:\n{server.messages()}")
        return (used.ru_utime + used.ru_stime) * 1e3


# The bar is the ratio to nginx that must not be passed; for the idle cases KiB, for an upload MiB, for single costs microseconds.
CASES = {
    "1k": Load(0.72, wrk, "/1k.html"),
    "1k_ofc": Load(0.85, wrk, "/1k.html", extra=OPEN_FILE_CACHE, h2o=False),
    "return200": Load(1.0, wrk, "/return200", h2o=False),
    "100k": Load(0.52, wrk, "/100k.html"),
    "10m": Load(0.80, wrk, "/10m.html", connections=8),
    # A file that does not change is compressed once and kept; where nothing is kept the ratio was 0.95 (2026-11-26), above the bar.
    "gzip_100k_json": Load(0.9, wrk_gzip, "/100k.json", extra="gzip on; gzip_types application/json;", h2o=False),
    "tls_1k": Load(0.82, h2load, "/1k.html"),
    "tls_100k": Load(0.63, h2load, "/100k.html"),
    "h2_1k": Load(0.25, http2(16), "/1k.html", connections=8, h2=True),
    "h2_1k_m1": Load(0.85, http2(1), "/1k.html", connections=64, h2=True),
    "h2_100k": Load(0.55, http2(8), "/100k.html", connections=8, h2=True),
    "handshake": Load(0.95, handshakes, "/1k.html"),
    "resumption": Load(0.8, resumptions, "/1k.html", h2o=False),
    "map": Cost(0.3, 20, maps, lambda numbers: added("$scheme" for _ in numbers)),
    "limit_req": Cost(0.3, 20, limits),
    "proxy_1k": LoadBehind(0.80, PROXY, wrk, "/back/1k"),
    "proxy_100k": LoadBehind(0.55, PROXY, wrk, "/back/100k"),
    "cache_1k": LoadBehind(0.75, CACHE, wrk, "/back/1k"),
    "fastcgi_hello": LoadBehind(0.9, FASTCGI, wrk, "/back/hello"),
    "websocket_echo": LoadBehind(0.9, WEBSOCKET, messages, "/back/"),
    "upload_10g": Upload(2.0),
    "idle": Idle(2.0, "plain"),
    "idle_tls": Idle(15.0, "tls"),
    "idle_h2": Idle(19.0, "h2"),
    "idle_h2_tls": Idle(40.0, "h2_tls"),
    "idle_websocket": IdleWebSockets(4.0),
    "lua_hello": LuaHello(),
    "lua_access": LuaAccess(),
    "lua_sleep": SleepingScripts(6.0),
    "start_10k": Start(1.0, "test"),
    "start_10k_listen": Start(1.0, "listen"),
}


def has_modules(case):
    return all(nginx_module(module) for module in getattr(case, "modules", ()))


def run_case(name, case, servers, work):
    """Medians over the rounds by server. Every other round turns the order, so that none is always first."""
    figures = {}
    for number in range(OPTIONS.rounds):
        for server, binary in servers.items() if number % 2 == 0 else reversed(servers.items()):
            if (server == "h2o" and not case.h2o) or (server == "nginx" and not has_modules(case)):
                continue
            value = case.measure(server, binary, work)
            figures.setdefault(server, []).append(value)
            print(f"{name} {number + 1}/{OPTIONS.rounds} {server} {value:.2f} {case.unit}", file=sys.stderr, flush=True)
    return {server: statistics.median(values) for server, values in figures.items()}


def row(name, case, medians):
    nginx = medians.get("nginx", 0)
    ratio = medians["seawall"] / nginx if nginx > 0 else float("inf")
    absolute = {Idle: "KiB", IdleWebSockets: "KiB", SleepingScripts: "KiB", Upload: "MiB", Cost: "µs", LuaAccess: "µs",
                LuaHello: "of return 200"}.get(type(case))
    figure = medians["seawall"] if absolute else ratio
    bar = f"≤ {case.bar:g} {absolute}" if absolute else f"≤ {case.bar:g}"
    h2o = f"{medians['h2o']:.2f}" if "h2o" in medians else "-"
    verdict = "yes" if figure <= case.bar else "**no**"
    return (f"| {name} | {medians['seawall']:.2f} | {nginx:.2f} | {h2o} | {case.unit} | {ratio:.2f} | {bar} |"
            f" {verdict} |")


def table(rows):
    head = ["| case | seawall | nginx | h2o | unit | ratio to nginx | bar | met |", "|---|--:|--:|--:|---|--:|--:|---|"]
    return "\n".join(head + rows) + "\n"


def results(rows, servers):
    versions = ", ".join(version_of(name, binary) for name, binary in servers.items())
    return (f"# Seawall beside nginx\n\nWritten by `tests/bench/run --write`; do not edit.\n\n"
            f"{datetime.date.today()}, {measure.cpu_model()}, Linux {os.uname().release}. {versions}.\n"
            f"One worker on CPU 0, the load on CPU 1; medians of {OPTIONS.rounds} rounds of {OPTIONS.seconds} s, servers"
            f" in turn. bench.py says what each figure is.\n\n" + table(rows))


def parse():
    parser = argparse.ArgumentParser(prog="tests/bench/run")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--build", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--server", help="measure this binary in place of the release build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write tests/bench/RESULTS.md")
    parser.add_argument("--list", action="store_true", help="the cases")
    options = parser.parse_args()
    for name in options.cases:
        if name not in CASES:
            parser.error(f"no case {name}; there are {', '.join(CASES)}")
    return options


def main():
    if OPTIONS.list:
        return print("\n".join(CASES))
    if len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("The server and its load need a CPU each; this machine has one.")
    servers = {"seawall": OPTIONS.server or OPTIONS.build + "/seawall", "nginx": "/usr/sbin/nginx"}
    if shutil.which("h2o"):
        servers["h2o"] = shutil.which("h2o")
    rows = []
    with tempfile.TemporaryDirectory(prefix="sw-bench-") as work:
        os.chmod(work, 0o755)
        make_data(f"{work}/data")
        for name in OPTIONS.cases or CASES:
            rows.append(row(name, CASES[name], run_case(name, CASES[name], servers, work)))
    print(table(rows), end="")
    if OPTIONS.write:
        with open(os.path.join(os.path.dirname(__file__), "RESULTS.md"), "w") as file:
            file.write(results(rows, servers))


if __name__ == "__main__":
    OPTIONS = parse()
    main()
