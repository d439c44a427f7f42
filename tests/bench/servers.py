"""The servers under measurement: one configuration for Seawall and nginx, h2o's own for h2o; one worker each, on CPU 0. And what
stands behind them."""
import json
import os
import random
import shutil
import socket
import subprocess
import time

import measure

SERVER_CPU, LOAD_CPU = "0", "1"
START_SECONDS = 60  # 10,000 virtual hosts under a slow disk

HTTP = """
{modules}
daemon off;
{user}
worker_processes 1;
worker_rlimit_nofile 20000;
pid {folder}/pid;
error_log {folder}/error.log error;
events {{ worker_connections 20000; }}
http {{
  types {{ text/html html; application/json json; }}
  default_type application/octet-stream;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 300s;
  keepalive_requests 1000000000;
  {extra}
{servers}
}}
"""

SITE = """
  server {{
    listen 127.0.0.1:{plain}{http2} backlog=1024;
    listen 127.0.0.1:{tls} ssl{http2} backlog=1024;
    server_name localhost;
    ssl_certificate {data}/localhost.crt;
    ssl_certificate_key {data}/localhost.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    root {data}/html;
    location = /return200 {{ return 200 "ok\\n"; }}
    {site}
  }}
"""

H2O = """
pid-file: {folder}/pid
error-log: {folder}/error.log
num-threads: 1
max-connections: 10000
http1-request-timeout: 300
listen: {{host: 127.0.0.1, port: {plain}}}
listen:
  host: 127.0.0.1
  port: {tls}
  ssl: {{certificate-file: {data}/localhost.crt, key-file: {data}/localhost.key}}
hosts:
  default:
    paths:
      /:
        file.dir: {data}/html
"""


def free_port():
    """Below the range connect() takes from: there, a probe of a server not yet up can connect to itself."""
    while True:
        port = random.randrange(10000, 30000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def make_json(size):
    """What an API says: the same names over and over, values that differ."""
    words, rows, length = random.Random(1), [], 0
    while length < size:
        row = {"id": words.randrange(10 ** 6), "name": f"user{words.randrange(10 ** 4)}", "mail": f"u{words.randrange(10 ** 4)}@example.org",
               "active": words.random() < 0.5, "score": round(words.random() * 100, 3), "tags": words.sample(["a", "new", "paid", "test"], 2)}
        rows.append(row)
        length += len(json.dumps(row)) + 2
    return json.dumps(rows)[:size]


def make_data(data):
    """The site's files and certificate. Seawall keeps no contents that are younger than two seconds, as no site's are."""
    os.makedirs(f"{data}/html", exist_ok=True)
    for name, size in (("1k", 1 << 10), ("100k", 100 << 10), ("10m", 10 << 20)):
        with open(f"{data}/html/{name}.html", "wb") as file:
            file.write(b"x" * size)
    with open(f"{data}/html/100k.json", "w") as file:
        file.write(make_json(100 << 10))
    if not os.path.exists(f"{data}/localhost.crt"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "30", "-subj", "/CN=localhost", "-keyout", f"{data}/localhost.key", "-out", f"{data}/localhost.crt"],
            check=True, stderr=subprocess.DEVNULL)
    os.chmod(data, 0o755)
    time.sleep(3)


def nginx_module(name):
    """Where Debian's package has it; it is named in full, as the server has a prefix of its own. None: it is not installed."""
    path = f"/usr/lib/nginx/modules/{name}.so"
    return path if os.path.exists(path) else None


class Server:
    """One running server: `with Server(...) as s`. Entering returns when it accepts connections."""

    def __init__(self, name, binary, work, extra="", hosts=0, http2=False, site="", modules=()):
        self.name, self.binary, self.site = name, binary, site
        # Seawall finds its own.
        self.modules = "".join(f"load_module {nginx_module(module)};\n" for module in modules if name == "nginx")
        self.folder = f"{work}/{name}"
        self.plain, self.tls = free_port(), free_port()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.http2 = " http2" if http2 else ""  # as nginx before 1.25 wants it
        self.config = f"{self.folder}/server.conf"
        with open(self.config, "w") as file:
            file.write(self._text(f"{work}/data", extra, hosts))

    def _text(self, data, extra, hosts):
        places = {"folder": self.folder, "plain": self.plain, "tls": self.tls, "data": data, "http2": self.http2,
                  "site": self.site}
        if self.name == "h2o":
            return ("user: root\n" if os.geteuid() == 0 else "") + H2O.format(**places)
        servers = SITE.format(**places) if not hosts else ""
        for n in range(hosts):
            servers += (f"  server {{ listen 127.0.0.1:{self.plain}; server_name host{n}.example www.host{n}.example;"
                        f" root {data}/html; location /assets/ {{ expires 1d; }} location = /x {{ return 204; }} }}\n")
        user = "user root;" if os.geteuid() == 0 else ""
        return HTTP.format(user=user, modules=self.modules, extra=extra.replace("{folder}", self.folder), servers=servers, **places)

    def arguments(self, *more):
        if self.name == "h2o":
            return [self.binary, "-m", "worker", "-c", self.config]
        return [self.binary, *more, "-p", self.folder + "/", "-c", self.config, "-e", self.folder + "/error.log"]

    def __enter__(self):
        self.output = open(f"{self.folder}/output", "wb")
        self.process = subprocess.Popen(["taskset", "-c", SERVER_CPU, *self.arguments()], cwd=self.folder,
                                        stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT)
        self._wait_until_it_accepts()
        return self

    def _wait_until_it_accepts(self):
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.plain)) == 0:
                    return
            time.sleep(0.001)
        self.__exit__()
        raise SystemExit(f"{self.name} did not start:\n" + self.messages())

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()

    def messages(self):
        text = ""
        for name in ("output", "error.log"):
            if os.path.exists(f"{self.folder}/{name}"):
                with open(f"{self.folder}/{name}", errors="replace") as file:
                    text += file.read()
        return text

    def cpu(self):
        return measure.cpu_time(self.process.pid)

    def memory(self):
        return measure.memory(self.process.pid)

    def url(self, path, tls):
        return f"https://127.0.0.1:{self.tls}{path}" if tls else f"http://127.0.0.1:{self.plain}{path}"


class Backend:
    """The application behind a server: bench_backend of a kind, beside the load. `with Backend(...) as b`; b.port."""

    def __init__(self, build, kind):
        self.port = free_port()
        self.command = ["taskset", "-c", LOAD_CPU, build + "/tests/bench/bench_backend", kind, str(self.port)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            raise SystemExit("the backend did not start")
        return self

    def __exit__(self, *_):
        self.process.communicate()


def version_of(name, binary):
    """Seawall and nginx answer -v on stderr, h2o on stdout."""
    run = subprocess.run([binary, "-v"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return run.stdout.strip().splitlines()[0].replace("nginx version: ", "").replace("h2o version ", "h2o/")
