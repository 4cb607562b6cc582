// Elements, words and numbers that all pages use. Data become text, never markup.

const SVG = "http://www.w3.org/2000/svg";

// el makes an element: attributes, with on… for listeners, then children.
export const el = (tag, attrs, ...kids) => {
  const e = tag === "svg" || tag === "path" ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [k, v] of Object.entries(attrs || {})) {
    if (v === null || v === undefined || v === false) continue;
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else if (k === "value") e.value = v;
    else e.setAttribute(k, v === true ? "" : v);
  }
  e.append(...kids.flat(Infinity).filter((k) => k !== null && k !== undefined && k !== false));
  return e;
};
export const say = (parent, ...kids) => parent.replaceChildren(...kids.flat(Infinity).filter((k) => k !== null && k !== undefined && k !== false));
// set changes a text only where it is another one, so that nothing flickers and no
// screen reader repeats itself.
export const set = (e, text) => { if (e.textContent !== text) e.textContent = text; };

export const link = (href, ...kids) => el("a", { href }, ...kids);
export const button = (text, onclick, attrs) => el("button", { type: "button", onclick, ...attrs }, text);
export const quiet = (...kids) => el("p", { class: "quiet" }, ...kids);
export const card = (title, ...kids) => el("section", { class: "card" }, title && el("h2", {}, title), ...kids);
export const route = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");

// Numbers.
export const number = (v) => {
  if (v === null || v === undefined || !Number.isFinite(v)) return "–";
  const a = Math.abs(v);
  if (a !== 0 && (a < 1e-3 || a >= 1e9)) return v.toExponential(2).replace("e+", "e");
  return v.toLocaleString("en-GB", { maximumSignificantDigits: a >= 1000 ? 6 : 4 });
};
export const percent = (v) => (v === null || v === undefined || !Number.isFinite(v) ? "–" : number(Math.round(v * 1000) / 10) + " %");
export const money = (v, currency) => (v === null || v === undefined ? "–" : v.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: Math.abs(v) < 1 && v !== 0 ? 4 : 2 }) + (currency ? " " + currency : ""));
// total is an amount of money that was spent, in cents.
export const total = (v, currency) => (v > 0 && v < 0.01 ? "< 0.01" + (currency ? " " + currency : "") : money(v && Math.round(v * 100) / 100, currency));
export const count = (n, noun) => `${number(n)} ${noun}${n === 1 ? "" : "s"}`;

// Times: in the viewer's zone, with UTC in the title.
const pad = (n) => String(n).padStart(2, "0");
export const given = (t) => Boolean(t) && !String(t).startsWith("0001-");
export const local = (t) => {
  const d = new Date(t);
  const day = `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
  return `${day} ${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;
};
export const utc = (t) => new Date(t).toISOString().slice(0, 19).replace("T", " ") + " UTC";
export const span = (seconds) => {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} m ${pad(s % 60)} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${pad(Math.floor((s % 3600) / 60))} m`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
};
export const nanos = (n) => span(n / 1e9);
export const age = (t, now = Date.now()) => (given(t) ? span((now - new Date(t)) / 1000) : "–");
export const ago = (t) => (given(t) ? age(t) + " ago" : "never");
export const when = (t, text) => (given(t) ? el("time", { datetime: t, title: utc(t) }, text || local(t)) : document.createTextNode("–"));

// signed is a difference with its sign.
export const signed = (v, text = number) => (v > 0 ? "+" : v < 0 ? "−" : "±") + text(Math.abs(v));

// state is a group's state in one word, as scalerctl says it.
export const state = (g) => {
  if (g.removing) return "removing";
  if (g.problem) return "degraded";
  if ((g.steps && g.steps.length) || !g.settled) return "scaling";
  if (g.paused) return "paused";
  if (g.decision && g.decision.held) return "held";
  return "steady";
};
const tones = {
  steady: "good", ready: "good", succeeded: "good", done: "good",
  scaling: "busy", creating: "busy", booting: "busy", running: "busy", removing: "busy", destroying: "busy", draining: "busy", applying: "busy",
  paused: "calm", held: "warn", superseded: "calm", undone: "calm",
  degraded: "bad", lost: "bad", failed: "bad", orphan: "bad", open: "bad", "half open": "warn",
};
// badge is a state as text with its colour.
export const badge = (text, tone = tones[text] || "calm") => el("span", { class: "badge " + tone }, text);
export const setBadge = (e, text) => { e.className = "badge " + (tones[text] || "calm"); set(e, text); };

// banner tells of problems: role alert where it is new.
export const banner = (tone, ...kids) => el("div", { class: "banner " + tone, role: tone === "bad" ? "alert" : "status" }, ...kids);
export const failure = (e) => banner("bad", el("strong", {}, e.status === 403 ? "Not allowed. " : e.status === 404 ? "Not found. " : "That did not work. "), e.message);

// table makes a table with headings; numeric columns are marked with a leading #.
export const table = (caption, heads, rows, kind) => el("div", { class: "scroll" + (kind ? " " + kind : ""), tabindex: "0", role: "region", "aria-label": caption },
  el("table", {}, el("caption", { class: "unseen" }, caption),
    el("thead", {}, el("tr", {}, heads.map((h) => el("th", { scope: "col", class: h.startsWith("#") ? "num" : null }, h.replace(/^#/, ""))))),
    el("tbody", {}, rows)));
export const row = (heads, cells) => el("tr", {}, cells.map((c, i) => el("td", { class: heads[i].startsWith("#") ? "num" : null, "data-label": heads[i].replace(/^#/, "") }, Array.isArray(c) ? el("span", {}, c) : c)));

// facts is a list of names and values.
export const facts = (pairs) => el("dl", { class: "facts" }, pairs.filter(Boolean).map(([k, ...v]) => el("div", {}, el("dt", {}, k), el("dd", {}, ...v))));

// dialog opens a modal dialog; it is gone when it is closed. The one that had the
// focus gets it back, which the element does.
export const dialog = (title, build, { wide, closed } = {}) => {
  const name = "dialog-title-" + Math.random().toString(36).slice(2);
  const body = el("div", { class: "body" });
  const d = el("dialog", { "aria-labelledby": name, class: wide ? "broad" : null },
    el("div", { class: "head" }, el("h2", { id: name }, title), button("Close", () => d.close(), { class: "plain", "aria-label": "Close the dialog" })), body);
  d.addEventListener("close", () => { d.remove(); if (closed) closed(); });
  d.addEventListener("click", (e) => { if (e.target === d) d.close(); });
  document.body.append(d);
  build(body, d);
  d.showModal();
  return d;
};

// later calls a function once nothing was asked for a while.
export const later = (f, wait) => {
  let timer;
  return (...args) => { clearTimeout(timer); timer = setTimeout(() => f(...args), wait); };
};
