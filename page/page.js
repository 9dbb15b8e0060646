// SPDX-License-Identifier: BSD-2-Clause
//
// What a run finds. All that was captured becomes text nodes: nothing here parses
// markup, and the browser is told to refuse whoever would (trusted-types 'none').
"use strict";

const ROW = 52, PART = 100; // height of a row; rows that are asked for at once
const LINES = 600;          // of a changed part that are put side by side, each side
const $ = (id) => document.getElementById(id);

const state = {
  token: "", run: null, all: 0, rows: new Map(), asked: new Set(), find: "",
  at: -1, kind: null, list: [], which: 0, from: 0, seen: -1, curl: "", serial: 0,
};

// --- the server ---

function takeToken() {
  const m = /^#([0-9a-f]{32})$/.exec(location.hash);
  if (m) {
    sessionStorage.setItem("token", m[1]);
    history.replaceState(null, "", "/");
  }
  state.token = sessionStorage.getItem("token") || "";
}

async function ask(path) {
  let answer;
  try {
    answer = await fetch(path, { headers: { Authorization: "Bearer " + state.token } });
  } catch {
    throw new Error("Nobody answers any more: the run is over, or the page was ended. " +
                    "'understudy page DIR' shows the folder again.");
  }
  if (!answer.ok) {
    let why = "";
    try { why = (await answer.json()).error; } catch { why = answer.statusText; }
    throw new Error(answer.status + ": " + why);
  }
  return answer;
}

const askJson = async (path) => (await ask(path)).json();

function showError(e) {
  $("error").hidden = !e;
  $("error").textContent = e ? e.message : "";
  if (e && $("main").hidden) $("headline").textContent = "Not loaded";
}

// --- small things ---

function make(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

function draw(name, attributes, text) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const k in attributes) e.setAttribute(k, attributes[k]);
  if (text !== undefined) e.textContent = text;
  return e;
}

const number = (n) => Number(n).toLocaleString("en");
const words = (s) => s.replace(/_/g, " ");

function micros(us) {
  if (us >= 1e6) return (us / 1e6).toPrecision(3) + " s";
  return us >= 1e3 ? (us / 1e3).toPrecision(3) + " ms" : Math.round(us) + " µs";
}

function duration(ms) {
  const s = Math.floor(ms / 1000), two = (n) => String(n).padStart(2, "0");
  return (s >= 3600 ? Math.floor(s / 3600) + ":" : "") + two(Math.floor(s / 60) % 60) +
    ":" + two(s % 60);
}

const moment = (ms) =>
  ms > 0 ? new Date(ms).toISOString().replace("T", " ").replace(/\..*/, "") + " UTC" : "–";

function pair(list, name, value, className) {
  const box = make("div");
  box.append(make("dt", name), make("dd", value, className));
  list.append(box);
}

// --- the run ---

const VERDICTS = ["identical", "equivalent", "different", "not_compared"];

function tickOf(run, i) {
  const t = run.ticks.at(i), out = {};
  if (t) run.tick_names.forEach((name, k) => { out[name] = t[k]; });
  return t ? out : null;
}

function showShares(sums) {
  const all = VERDICTS.reduce((n, v) => n + sums[v], 0);
  const svg = draw("svg", { viewBox: "0 0 1000 14", preserveAspectRatio: "none" });
  let x = 0;
  for (const v of VERDICTS) {
    const share = all > 0 ? 1000 * sums[v] / all : 0;
    const w = sums[v] > 0 ? Math.max(share, 3) : 0;
    svg.append(draw("rect", { class: v, x, y: 0, width: w, height: 14 }));
    x += w;
  }
  $("shares").replaceChildren(svg);
  $("shares").setAttribute("aria-label", VERDICTS.map(
    (v) => words(v) + " " + number(sums[v])).join(", "));
}

function showNumbers(run, sums, last, before) {
  const list = $("numbers");
  list.replaceChildren();
  for (const v of VERDICTS) pair(list, words(v), number(sums[v]), v);
  if (last) {
    pair(list, "requests seen", number(last.seen));
    pair(list, "answered by the SUT", number(last.answered));
    if (before && !run.ended && last.at_ms > before.at_ms)
      pair(list, "requests/s",
           number(Math.round(1000 * (last.seen - before.seen) / (last.at_ms - before.at_ms))));
    pair(list, "SUT behind (p50)", micros(last.behind / 1000));
    pair(list, "frames lost", number(last.drops), last.drops > 0 ? "different" : "");
  }
}

function gateText(g) {
  const value = g.unit === "answers" ? number(g.at)
    : (g.at / 1e4).toFixed(2) + " % (" + (g.low / 1e4).toFixed(2) + " … " +
      (g.high / 1e4).toFixed(2) + ")";
  return (g.endpoint ? g.endpoint + ": " : "") + g.name + " " + g.state + ", " + value +
    (g.state === "undecided" && g.needs > 0 ? ", about " + number(g.needs) + " needed" : "");
}

function showRun(run) {
  const last = tickOf(run, -1), before = tickOf(run, -2);
  const sums = run.verdicts || last ||
    { identical: 0, equivalent: 0, different: 0, not_compared: 0 };
  const compared = sums.identical + sums.equivalent + sums.different;
  const first = tickOf(run, 0);
  const long = run.elapsed_ms ?? (last && first ? last.at_ms - first.at_ms : 0);
  $("headline").textContent = (run.command ? run.command + " " : "") +
    (run.ended ? "ended after " : "running ") + duration(long) + ": " +
    (compared === 0 ? "nothing compared yet"
      : number(sums.different) + " of " + number(compared) + " answers differ");
  document.title = (run.ended ? "" : "● ") + number(sums.different) + " different – Understudy";
  showShares(sums);
  showNumbers(run, sums, last, before);
  $("gates").replaceChildren(...(run.gates || []).map((g) => make("li", gateText(g), g.state)));
  $("warnings").replaceChildren(...(run.warnings || []).map((w) => make("li", w)));
  showCharts(run);
  showEndpoints(run);
  $("main").hidden = false;
}

function showEndpoints(run) {
  const rows = (run.endpoints || []).map((e) => [e.name, e])
    .concat((run.maps || []).map((m) =>
      [m.production + " → " + m.sut + (m.baseline ? " (baseline)" : ""), m]));
  $("endpoints").hidden = rows.length === 0;
  $("endpoint-rows").replaceChildren(...rows.map(([name, e]) => {
    const tr = make("tr"), th = make("td", name);
    tr.append(th, ...VERDICTS.map((v) => make("td", number(e[v]))));
    return tr;
  }));
}

// --- charts ---

let WIDE = 640; // of a chart
const HIGH = 170, LEFT = 58, RIGHT = 60, TOP = 8, LOW = 22;

function chart(label) {
  return draw("svg", { class: "chart", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img",
                       "aria-label": label });
}

const along = (x, from, to) =>
  LEFT + (WIDE - LEFT - RIGHT) * (to > from ? (x - from) / (to - from) : 0.5);
const up = (y, most) => HIGH - LOW - (HIGH - LOW - TOP) * (most > 0 ? y / most : 0);
const path = (points) => "M" + points.map((p) => p[0].toFixed(1) + " " + p[1].toFixed(1)).join("L");

function put(figure, svg) {
  figure.querySelector("svg")?.remove();
  figure.append(svg);
  figure.hidden = false;
}

// A chart has no more units than pixels, so that its words are not smaller than others.
function showCharts(run) {
  WIDE = window.innerWidth < 820 ? Math.max(300, window.innerWidth - 50) : 640;
  showRate(run);
  showLatency(run);
}

function showRate(run) {
  if (run.ticks.length < 3) return;
  const at = run.tick_names.indexOf("at_ms"), seen = run.tick_names.indexOf("seen");
  const lag = run.tick_names.indexOf("behind");
  const points = run.ticks.slice(1).map((t, i) => {
    const b = run.ticks[i], ms = t[at] - b[at];
    return [t[at], ms > 0 ? Math.max(0, 1000 * (t[seen] - b[seen]) / ms) : 0, t[lag] / 1000];
  });
  const from = points[0][0], to = points.at(-1)[0];
  const most = Math.max(1, ...points.map((p) => p[1]));
  const worst = Math.max(1, ...points.map((p) => p[2]));
  const svg = chart(`Requests a second, at most ${Math.round(most)}; lag at most ${micros(worst)}`);
  svg.append(
    draw("path", { class: "axis", d: `M${LEFT} ${TOP}V${HIGH - LOW}H${WIDE - RIGHT}` }),
    draw("path", { class: "line-lag",
                   d: path(points.map((p) => [along(p[0], from, to), up(p[2], worst)])) }),
    draw("path", { class: "line-prod",
                   d: path(points.map((p) => [along(p[0], from, to), up(p[1], most)])) }),
    draw("text", { x: LEFT - 6, y: TOP + 9, "text-anchor": "end", class: "prod" },
         number(Math.round(most)) + "/s"),
    draw("text", { x: LEFT - 6, y: HIGH - LOW, "text-anchor": "end" }, "0"),
    draw("text", { x: WIDE - RIGHT + 6, y: TOP + 9 }, micros(worst)),
    draw("text", { x: WIDE - RIGHT + 6, y: TOP + 22 }, "lag"),
    draw("text", { x: LEFT, y: HIGH - 6 }, duration(0)),
    draw("text", { x: WIDE - RIGHT, y: HIGH - 6, "text-anchor": "end" }, duration(to - from)));
  put($("rate"), svg);
}

function showLatency(run) {
  const rows = run.times || [], choose = $("latency-of");
  if (rows.length === 0) return;
  if (choose.options.length !== rows.length)
    choose.replaceChildren(...rows.map((t, i) => {
      const o = make("option", (t.name === "*" ? "all endpoints" : t.name) + ", " +
                     words(t.metric));
      o.value = String(i);
      return o;
    }));
  const t = rows[Number(choose.value) || 0];
  const q = t.quantiles.filter((v) => v.yard_us > 0 && v.sut_us > 0);
  const band = q.filter((v) => v.says !== "too few");
  const value = (us) => Math.log10(Math.max(1, us));
  const all = q.flatMap((v) => [v.yard_us, v.sut_us, v.yard_us + v.high_us]);
  if (q.length === 0) return;
  const least = Math.floor(value(Math.min(...all)) * 2) / 2;
  const most = Math.ceil(value(Math.max(...all)) * 2) / 2 + 0.01;
  const x = (i) => along(i, 0, Math.max(1, q.length - 1));
  const y = (us) => up(Math.min(Math.max(value(us), least), most) - least, most - least);
  const svg = chart("Latency by quantile: " + q.map((v) => "p" + v.permille / 10 + " " +
    t.yard + " " + micros(v.yard_us) + ", SUT " + micros(v.sut_us)).join("; "));
  svg.append(draw("path", { class: "axis", d: `M${LEFT} ${TOP}V${HIGH - LOW}H${WIDE - RIGHT}` }));
  if (band.length > 1)
    svg.append(draw("path", { class: "band-sut", d: path(
      band.map((v) => [x(q.indexOf(v)), y(v.yard_us + v.high_us)]).concat(
        band.map((v) => [x(q.indexOf(v)), y(v.yard_us + v.low_us)]).reverse())) + "Z" }));
  svg.append(
    draw("path", { class: "line-prod", d: path(q.map((v, i) => [x(i), y(v.yard_us)])) }),
    draw("path", { class: "line-sut", d: path(q.map((v, i) => [x(i), y(v.sut_us)])) }));
  q.forEach((v, i) => svg.append(draw("text", { x: x(i), y: HIGH - 6, "text-anchor": "middle" },
                                      "p" + v.permille / 10)));
  const end = q.at(-1), gap = y(end.sut_us) - y(end.yard_us);
  const apart = Math.abs(gap) < 12 ? (gap < 0 ? -7 : 7) : 0;
  svg.append(
    draw("text", { x: LEFT - 6, y: TOP + 9, "text-anchor": "end" }, micros(10 ** most)),
    draw("text", { x: LEFT - 6, y: HIGH - LOW, "text-anchor": "end" }, micros(10 ** least)),
    draw("text", { x: WIDE - RIGHT + 4, y: y(end.yard_us) + 4 - apart, class: "prod" },
         t.yard === "baseline" ? "baseline" : "prod."),
    draw("text", { x: WIDE - RIGHT + 4, y: y(end.sut_us) + 4 + apart, class: "sut" }, "SUT"));
  put($("latency"), svg);
}

// --- kinds: a window of a list that the server cuts ---

async function loadPart(part) {
  if (state.asked.has(part)) return;
  const serial = state.serial;
  state.asked.add(part);
  try {
    const a = await askJson("/api/kinds?from=" + part * PART + "&n=" + PART +
                            (state.find ? "&find=" + encodeURIComponent(state.find) : ""));
    if (serial !== state.serial) return;
    state.all = a.all;
    a.kinds.forEach((k, i) => state.rows.set(a.from + i, k));
    showList();
  } catch (e) {
    state.asked.delete(part);
    showError(e);
  }
}

function rowOf(i) {
  const k = state.rows.get(i), row = make("div", undefined, "row");
  row.id = "row-" + i;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", String(i === state.at));
  row.setAttribute("aria-setsize", String(state.all));
  row.setAttribute("aria-posinset", String(i + 1));
  row.dataset.i = i;
  if (!k) {
    row.classList.add("wait");
    row.append(make("span", "…"));
    return row;
  }
  row.append(make("span", k.name || "all other kinds"), make("span", number(k.n), "n"),
             make("span", words(k.reason) + (k.detail ? ": " + k.detail : ""), "why"),
             make("span", k.baseline ? "baseline" : k.kind || "", "why"));
  return row;
}

function showList() {
  const box = $("list"), first = Math.max(0, Math.floor(box.scrollTop / ROW) - 5);
  const n = Math.min(state.all - first, Math.ceil(box.clientHeight / ROW) + 10);
  const rows = [];
  for (let i = first; i < first + n; i++) rows.push(rowOf(i));
  $("list-space").style.height = state.all * ROW + "px";
  $("list-rows").style.top = first * ROW + "px";
  $("list-rows").replaceChildren(...rows);
  if (state.at >= first && state.at < first + n)
    box.setAttribute("aria-activedescendant", "row-" + state.at);
  else
    box.removeAttribute("aria-activedescendant");
  $("kinds-n").textContent = number(state.all);
  box.hidden = state.all === 0;
  $("right").hidden = state.all === 0 && !state.kind && !state.find;
  $("list-none").hidden = state.all > 0;
  $("list-none").textContent = state.find ? "No kind has this in its name or detail."
    : state.run && !state.run.ended ? "No difference yet."
      : "No answer differed.";
  for (let p = Math.floor(first / PART); n > 0 && p <= Math.floor((first + n - 1) / PART); p++)
    loadPart(p);
}

function reload() {
  state.serial++;
  state.asked.clear();
  return loadPart(Math.floor(Math.max(0, $("list").scrollTop / ROW) / PART));
}

function select(i) {
  const box = $("list");
  if (i < 0 || i >= state.all) return;
  state.at = i;
  if (i * ROW < box.scrollTop) box.scrollTop = i * ROW;
  if ((i + 1) * ROW > box.scrollTop + box.clientHeight)
    box.scrollTop = (i + 1) * ROW - box.clientHeight;
  showList();
}

// --- one kind, one difference ---

async function openKind(id, which = 0) {
  try {
    const from = Math.floor(which / PART) * PART;
    const a = await askJson("/api/kind?id=" + id + "&n=" + PART + "&from=" + from);
    state.kind = a.kind;
    state.list = a.differences;
    state.from = from;
    showKind();
    await openDifference(which);
  } catch (e) {
    showError(e);
  }
}

function showKind() {
  const k = state.kind, facts = $("facts");
  $("pick").hidden = true;
  $("detail").hidden = false;
  $("kind-name").textContent = k.name || "All other kinds";
  $("kind-detail").textContent = k.detail;
  facts.replaceChildren();
  pair(facts, "differs in", words(k.reason));
  pair(facts, "how often", number(k.n));
  pair(facts, "first", moment(k.first_ms));
  pair(facts, "last", moment(k.last_ms));
  if (k.kind) pair(facts, "kind", k.kind);
  $("rule-box").hidden = !k.rule;
  $("rule").textContent = k.rule;
}

function action(text, title, run) {
  const b = make("button", text);
  b.type = "button";
  b.title = title;
  b.addEventListener("click", run);
  return b;
}

async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    $("said").textContent = what + " copied.";
  } catch {
    $("said").textContent = text;
  }
}

async function savePackets(id) {
  try {
    const blob = await (await ask("/api/packets?id=" + id)).blob();
    const a = make("a");
    a.href = URL.createObjectURL(blob);
    a.download = "d-" + String(id).padStart(6, "0") + ".pcapng";
    a.click();
    URL.revokeObjectURL(a.href);
    $("said").textContent = a.download + " saved.";
  } catch (e) {
    $("said").textContent = e.message;
  }
}

async function openDifference(which) {
  const row = state.list[which - state.from], total = state.kind.n;
  state.which = which;
  $("which-text").textContent = row ? `${number(which + 1)} of ${number(total)}` : "";
  $("before").disabled = which === 0;
  $("after").disabled = which + 1 >= total;
  $("said").textContent = "";
  if (!row) {
    $("answers").replaceChildren();
    $("sample-none").hidden = false;
    $("sample-none").textContent = "It is counted only: the store had no room for more.";
    return;
  }
  const a = await askJson("/api/difference?id=" + row.id);
  if (state.which !== which || a.difference.kind !== state.kind.id) return;
  history.replaceState(null, "", "/#kind=" + state.kind.id + "&n=" + (which + 1));
  showDifference(a.difference, a.samples);
}

function showDifference(d, samples) {
  const actions = [], by = Object.fromEntries(samples.map((s) => [s.side, s]));
  $("kind-detail").textContent = d.detail || state.kind.detail;
  state.curl = d.curl_sut || "";
  if (d.curl_sut)
    actions.push(
      action("Copy curl to the SUT", d.curl_sut, () => copy(d.curl_sut, "curl")),
      action("Copy curl to production", d.curl_production,
             () => copy(d.curl_production, "curl")));
  if (state.kind.rule)
    actions.push(action("Copy rule", state.kind.rule, () => copy(state.kind.rule, "Rule")));
  if (samples.length > 0)
    actions.push(action("Save packets", "pcapng of both sides", () => savePackets(d.id)));
  $("actions").replaceChildren(...actions);
  showAnswers(d, by.production, by.sut);
  $("request-box").hidden = false;
  $("request").replaceChildren();
  $("request").textContent = by.request ? by.request.head + by.request.body : d.request;
}

const WHY = {
  binary: "The content is no text.", partly: "Not all of the content was seen.",
  broken: "The content's coding is broken.", other: "This is no HTTP/1: see the packets.",
};

function showAnswers(d, production, sut) {
  const none = !production || !sut;
  const sides = [["production", "Production", production, 0, d.production_us],
                 ["sut", "SUT", sut, 1, d.sut_us]];
  $("sample-none").hidden = !none;
  $("sample-none").textContent = state.run && !state.run.ended
    ? "Both answers are shown when the run is over, if it has -w."
    : "There is no text of these answers: a run with -w keeps that of the first three " +
      "differences of each kind.";
  const head = none ? null : sideBySide(production.head, sut.head);
  const body = none ? null : sideBySide(production.body, sut.body);
  $("answers").replaceChildren(...sides.map(([name, title, s, i, us]) => {
    const box = make("div", undefined, name);
    box.append(make("h4", title + (d.status[i] ? " " + d.status[i] : "") + ", " +
                    number(d.bytes[i]) + " bytes" + (us ? ", " + micros(us) : "")));
    if (none) return box;
    box.append(pre(head[i], title + "'s head"));
    if (s.body) box.append(pre(body[i], title + "'s content"));
    const notes = [WHY[s.shown]];
    if (s.shown === "decoded") notes.push("Without its codings.");
    if (s.start > 0) notes.push("Begins at byte " + number(s.start) + ".");
    if (s.bytes > s.body.length + s.start) notes.push(number(s.bytes) + " bytes in all.");
    if (s.at !== undefined) notes.push("First differs at byte " + number(s.at) + ".");
    box.append(make("p", notes.filter(Boolean).join(" "), "note"));
    return box;
  }));
  for (const p of $("answers").querySelectorAll("pre")) {
    const m = p.querySelector("mark, .del, .add");
    if (m) p.scrollTop = Math.max(0, m.offsetTop - p.offsetTop - 40);
  }
}

function pre(pieces, label) {
  const p = make("pre");
  p.tabIndex = 0;
  p.setAttribute("role", "region");
  p.setAttribute("aria-label", label);
  p.append(...pieces);
  return p;
}

// --- what differs, line by line ---

// Lines of both that are the same, in order: the longest common subsequence.
function common(a, b) {
  const w = b.length + 1, best = new Uint16Array((a.length + 1) * w), out = [];
  for (let i = a.length - 1; i >= 0; i--)
    for (let k = b.length - 1; k >= 0; k--)
      best[i * w + k] = a[i] === b[k] ? best[(i + 1) * w + k + 1] + 1
        : Math.max(best[(i + 1) * w + k], best[i * w + k + 1]);
  for (let i = 0, k = 0; i < a.length && k < b.length;) {
    if (a[i] === b[k]) out.push([i++, k++]);
    else if (best[(i + 1) * w + k] >= best[i * w + k + 1]) i++;
    else k++;
  }
  return out;
}

function ends(a, b) {
  let from = 0, to = 0;
  const n = Math.min(a.length, b.length);
  while (from < n && a[from] === b[from]) from++;
  while (to < n - from && a[a.length - 1 - to] === b[b.length - 1 - to]) to++;
  return [from, to];
}

// A line that another one stands against: what is between their common ends.
function marked(line, other, className) {
  const box = make("span", undefined, className);
  const [from, to] = other === undefined ? [0, 0] : ends(line, other);
  const middle = line.slice(from, line.length - to);
  box.append(line.slice(0, from));
  if (middle) box.append(make("mark", middle));
  box.append(line.slice(line.length - to) || (line === "" ? " " : ""));
  return box;
}

function changed(a, b, out) {
  for (let i = 0; i < a.length; i++) out[0].push(marked(a[i], b[i], "del"));
  for (let i = 0; i < b.length; i++) out[1].push(marked(b[i], a[i], "add"));
}

function sideBySide(left, right) {
  const a = left.replace(/\r\n/g, "\n").split("\n"), b = right.replace(/\r\n/g, "\n").split("\n");
  const [from, to] = ends(a, b), out = [[], []];
  const x = a.slice(from, a.length - to), y = b.slice(from, b.length - to);
  const same = (lines) => {
    const text = lines.length > 0 ? lines.join("\n") + "\n" : "";
    out[0].push(text);
    out[1].push(text);
  };
  same(a.slice(0, from));
  const anchors = x.length <= LINES && y.length <= LINES ? common(x, y) : [];
  let i = 0, k = 0;
  for (const [p, q] of anchors.concat([[x.length, y.length]])) {
    changed(x.slice(i, p), y.slice(k, q), out);
    if (p < x.length) same([x[p]]);
    i = p + 1;
    k = q + 1;
  }
  if (to > 0) {
    const text = a.slice(a.length - to).join("\n");
    out[0].push(text);
    out[1].push(text);
  }
  return out;
}

// --- what the user does ---

function stepDifference(by) {
  const to = state.which + by;
  if (!state.kind || to < 0 || to >= state.kind.n) return;
  if (to < state.from || to >= state.from + PART) openKind(state.kind.id, to);
  else openDifference(to).catch(showError);
}

function openSelected() {
  const k = state.rows.get(state.at);
  if (k) openKind(k.id);
}

const KEYS = {
  j: () => select(state.at + 1), ArrowDown: () => select(state.at + 1),
  k: () => select(Math.max(0, state.at - 1)), ArrowUp: () => select(Math.max(0, state.at - 1)),
  Home: () => select(0), End: () => select(state.all - 1),
  PageDown: () => select(Math.min(state.all - 1, state.at + 8)),
  PageUp: () => select(Math.max(0, state.at - 8)),
  Enter: openSelected, n: () => stepDifference(1), p: () => stepDifference(-1),
  "/": () => $("find").focus(), "?": () => $("help").showModal(),
  c: () => { if (state.curl) copy(state.curl, "curl"); },
};

const IN_LIST = ["ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "Enter"];

function onKey(e) {
  const typing = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement;
  if (e.key === "Escape") {
    if (typing) {
      $("find").value = "";
      onFind();
      $("list").focus();
    }
    return;
  }
  if (e.ctrlKey || e.metaKey || e.altKey || typing || $("help").open) return;
  if (IN_LIST.includes(e.key) && e.target !== $("list") && e.target !== document.body) return;
  if (!KEYS[e.key]) return;
  e.preventDefault();
  KEYS[e.key]();
}

let waiting = 0;

function onFind() {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    state.find = $("find").value;
    state.at = -1;
    state.rows.clear();
    $("list").scrollTop = 0;
    reload();
  }, 150);
}

async function turn() {
  let next = 1000;
  try {
    const run = await askJson("/api/run"), last = tickOf(run, -1);
    const different = run.verdicts ? run.verdicts.different : last ? last.different : 0;
    state.run = run;
    showError(null);
    showRun(run);
    if (different + run.kinds !== state.seen) {
      state.seen = different + run.kinds;
      await reload();
      showList();
    }
    if (run.ended) return;
  } catch (e) {
    showError(e);
    next = 5000;
  }
  setTimeout(turn, next);
}

async function begin() {
  const m = /^#kind=(\d{1,15})&n=(\d{1,9})$/.exec(location.hash);
  takeToken();
  $("list").addEventListener("scroll", () => requestAnimationFrame(showList));
  $("list").addEventListener("click", (e) => {
    const row = e.target.closest(".row");
    if (!row) return;
    select(Number(row.dataset.i));
    openSelected();
  });
  $("find").addEventListener("input", onFind);
  $("before").addEventListener("click", () => stepDifference(-1));
  $("after").addEventListener("click", () => stepDifference(1));
  $("latency-of").addEventListener("change", () => showLatency(state.run));
  $("help-open").addEventListener("click", () => $("help").showModal());
  document.addEventListener("keydown", onKey);
  window.addEventListener("resize", () => {
    showList();
    if (state.run) showCharts(state.run);
  });
  window.addEventListener("hashchange", () => {
    if (/^#[0-9a-f]{32}$/.test(location.hash)) {
      takeToken();
      turn();
    }
  });
  await turn();
  if (m && !$("main").hidden) openKind(Number(m[1]), Math.max(0, Number(m[2]) - 1));
}

begin();
