// The live page: a report each second over server-sent events; what is shown of counts is what has changed since the last.
"use strict";

const kKept = 120; // seconds of history
const history = [];
const element = (id) => document.getElementById(id);

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const rough = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const count = (n) => (n < 10 && n % 1 ? rough : whole).format(n);
function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return `${rough.format(n)} ${units[unit]}`;
}
function time(seconds) {
  if (seconds === null) return "";
  if (seconds < 0.001) return `${whole.format(seconds * 1e6)} µs`;
  if (seconds < 1) return `${rough.format(seconds * 1e3)} ms`;
  return `${rough.format(seconds)} s`;
}
function age(seconds) {
  if (seconds < 120) return `${whole.format(seconds)} s`;
  if (seconds < 7200) return `${whole.format(seconds / 60)} min`;
  if (seconds < 172800) return `${whole.format(seconds / 3600)} h`;
  return `${whole.format(seconds / 86400)} days`;
}

function fill(list, figures) {
  list.replaceChildren(...figures.map(([name, value]) => {
    const pair = document.createElement("div");
    const term = document.createElement("dt");
    const figure = document.createElement("dd");
    term.textContent = name;
    figure.textContent = value;
    figure.dataset.figure = name;
    pair.append(term, figure);
    return pair;
  }));
}

// `columns`: [heading, is a number]; a cell may be [text, class].
function table(id, columns, rows) {
  const target = element(id);
  target.closest("section").hidden = rows.length === 0;
  const line = (cells, kind) => {
    const row = document.createElement("tr");
    cells.forEach((cell, i) => {
      const made = document.createElement(kind);
      const [text, style] = Array.isArray(cell) ? cell : [cell, ""];
      made.textContent = text;
      if (style) made.classList.add(style);
      if (columns[i][1]) made.classList.add("number");
      if (kind === "th") made.scope = "col";
      row.append(made);
    });
    return row;
  };
  const head = document.createElement("thead");
  head.append(line(columns.map((c) => c[0]), "th"));
  const body = document.createElement("tbody");
  body.append(...rows.map((cells) => line(cells, "td")));
  target.replaceChildren(head, body);
}

// Lines over the kept history: each a list of values, the newest last.
function chart(id, lines, text) {
  const most = Math.max(1e-9, ...lines.flat());
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 120 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", text(most));
  const base = document.createElementNS(space, "line");
  for (const [name, value] of [["x1", 0], ["x2", 120], ["y1", 99], ["y2", 99]]) base.setAttribute(name, value);
  svg.append(base);
  lines.forEach((values, i) => {
    const path = document.createElementNS(space, "path");
    const points = values.map((v, x) => `${(kKept - values.length + x).toFixed(1)} ${(98 - (v / most) * 95).toFixed(1)}`);
    path.setAttribute("d", points.length ? `M${points.join("L")}` : "");
    if (i) path.classList.add("second");
    svg.append(path);
  });
  const scale = document.createElement("div");
  scale.className = "scale";
  for (const part of [`${kKept} s ago`, text(most), "now"]) {
    const label = document.createElement("span");
    label.textContent = part;
    scale.append(label);
  }
  element(id).replaceChildren(svg, scale);
}

// ---- what has changed between two reports ----------------------------------------------------------------------------

const key = (route) => `${route.vhost}\n${route.location}`;
const sum = (numbers) => Object.values(numbers).reduce((a, b) => a + b, 0);

// The buckets of a phase between two reports; null when nothing was counted.
function between(now, before, phase) {
  const a = now?.phases[phase]?.buckets;
  if (!a) return null;
  const b = before?.phases[phase]?.buckets;
  return b ? a.map((n, i) => n - b[i]) : a;
}

// From cumulative buckets, as straight as between their bounds can be; null without any.
function quantile(buckets, bounds, q) {
  const total = buckets?.at(-1) ?? 0;
  if (total <= 0) return null;
  const rank = q * total;
  const i = buckets.findIndex((n) => n >= rank);
  if (i >= bounds.length) return bounds.at(-1);
  const low = i ? bounds[i - 1] : 0;
  const below = i ? buckets[i - 1] : 0;
  const inside = buckets[i] - below;
  return low + (bounds[i] - low) * (inside > 0 ? (rank - below) / inside : 1);
}

function added(lists) {
  const present = lists.filter(Boolean);
  if (!present.length) return null;
  return present[0].map((_, i) => present.reduce((n, list) => n + list[i], 0));
}

function changes(report, before) {
  const seconds = Math.max(0.1, report.time - before.time);
  const known = new Map(before.routes.map((r) => [key(r), r]));
  const rate = (report.requests.total - before.requests.total) / seconds;
  const cpu = Math.max(0, report.process.cpu_seconds - before.process.cpu_seconds) / seconds;
  const phases = Object.fromEntries(["header", "body", "handler", "send"].map(
    (phase) => [phase, added(report.routes.map((r) => between(r, known.get(key(r)), phase)))]));
  return { seconds, known, rate: Math.max(0, rate), cpu, phases };
}

// ---- the parts of the page ---------------------------------------------------------------------------------------------

function showNow(report, change) {
  fill(element("figures"), [
    ["Requests a second", count(change.rate)],
    ["Open connections", count(report.connections.open)],
    ["CPU", `${rough.format(change.cpu * 100)} %`],
    ["Memory", bytes(report.process.memory)],
    ["Open files", `${count(report.process.open_files)} of ${count(report.process.max_files)}`],
    ["Requests", count(report.requests.total)],
  ]);
}

function showConnections(report) {
  const states = report.connections.states;
  fill(element("connection-states"), Object.keys(states).sort().map((name) => [name, count(states[name])]));
  chart("connection-chart", [history.map((h) => h.report.connections.open)], (most) => `at most ${count(most)} open`);
}

function showPhases(report, change) {
  table("phase-table", [["Phase"], ["p50", true], ["p90", true], ["p99", true]],
    Object.entries(change.phases).filter(([, buckets]) => buckets?.at(-1) > 0).map(([phase, buckets]) =>
      [phase, ...[0.5, 0.9, 0.99].map((q) => time(quantile(buckets, report.bounds, q)))]));
  element("phase-table").closest("section").hidden = false;
  const line = (q) => history.map((h) => quantile(h.change?.phases.handler, report.bounds, q) ?? 0);
  chart("phase-chart", [line(0.5), line(0.99)], (most) => `handler, p50 and p99: at most ${time(most)}`);
}

function showRoutes(report, change) {
  const rows = report.routes.map((route) => {
    const before = change.known.get(key(route));
    const rate = (sum(route.requests) - (before ? sum(before.requests) : 0)) / change.seconds;
    const errors = (route.requests["5xx"] ?? 0);
    const handler = quantile(route.phases.handler?.buckets, report.bounds, 0.99);
    return { rate, cells: [route.vhost || "(others)", route.location || "(server)", count(rate), count(sum(route.requests)),
      count(route.requests["4xx"] ?? 0), [count(errors), errors ? "bad" : ""], bytes(route.sent ?? 0), time(handler)] };
  });
  rows.sort((a, b) => b.rate - a.rate);
  table("route-table", [["Server"], ["Location"], ["Requests/s", true], ["Requests", true], ["4xx", true], ["5xx", true], ["Sent", true],
    ["Handler p99", true]], rows.slice(0, 50).map((row) => row.cells));
}

function showLists(report) {
  table("upstream-table", [["Upstream"], ["Server"], ["State"], ["Tries", true], ["Failed", true], ["Retries", true], ["Mean time", true]],
    report.upstreams.map((u) => {
      const requests = u.requests ?? {};
      const failed = (requests.failed ?? 0) + (requests.timeout ?? 0) + (requests["5xx"] ?? 0);
      return [u.upstream || "(made by requests)", u.server, u.up === undefined ? "" : u.up ? "up" : ["down", "bad"], count(sum(requests)),
        [count(failed), failed ? "bad" : ""], count(u.retries ?? 0), u.answers ? time(u.seconds / u.answers) : ""];
    }));
  table("certificate-table", [["Name"], ["Key"], ["Ends in", true]], report.certificates.map((c) => {
    const left = c.expires - report.time;
    return [c.name, c.key, [left > 0 ? age(left) : "expired", left < 14 * 86400 ? "bad" : ""]];
  }));
  table("failure-table", [["Server"], ["What"], ["Count", true]],
    report.failures.sort((a, b) => b.count - a.count).slice(0, 12).map((f) => [f.vhost, f.class.replaceAll("_", " "), count(f.count)]));
  table("talker-table", [["Address"], ["Requests", true], ["Bytes", true]],
    report.talkers.map((t) => [t.address, count(t.requests), bytes(t.bytes)]));
  fill(element("configuration-figures"), [
    ["File", report.configuration.file ?? ""],
    ["Hash", (report.configuration.hash ?? "").slice(0, 12)],
    ["In force for", age(report.time - report.configuration.loaded)],
    ["Worker processes", count(report.process.generations)],
  ]);
  element("event-list").replaceChildren(...report.events.toReversed().map((text) => {
    const line = document.createElement("li");
    line.textContent = text;
    return line;
  }));
  element("event-list").closest("section").hidden = report.events.length === 0;
}

function show(report) {
  const before = history.at(-1)?.report ?? report;
  const change = changes(report, before);
  history.push({ report, change: report === before ? null : change });
  if (history.length > kKept) history.shift();
  showNow(report, change);
  chart("rate-chart", [history.map((h) => h.change?.rate ?? 0)], (most) => `at most ${count(most)} a second`);
  showConnections(report);
  showPhases(report, change);
  showRoutes(report, change);
  showLists(report);
}

// ---- the feed ------------------------------------------------------------------------------------------------------------

let paused = false;
const state = element("state");
const feed = new EventSource("?events");
feed.onmessage = (event) => {
  state.classList.remove("lost");
  state.textContent = paused ? "paused" : "live";
  if (!paused) show(JSON.parse(event.data));
};
feed.onerror = () => {
  state.classList.add("lost");
  state.textContent = "connection lost, trying again";
};
element("pause").onclick = (event) => {
  paused = !paused;
  event.target.setAttribute("aria-pressed", paused);
  event.target.textContent = paused ? "Go on" : "Pause";
  state.textContent = paused ? "paused" : "live";
};
