// Charts along time, and of what is expected of each number of nodes, drawn by uPlot.
import { el, local, number, set } from "./ui.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const live = new Set();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { for (const c of live) c.remake(); });

const axis = (more) => ({ stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 4 }, font: "12px system-ui, sans-serif", ...more });
const values = (u, ticks) => ticks.map((t) => (t === null ? "" : number(t)));
const pad = (n) => String(n).padStart(2, "0");
// clock labels times of the viewer's zone, with the day where it changes.
const clock = (u, ticks, i, space, step) => {
  let day = "";
  return ticks.map((t) => {
    const d = new Date(t * 1000), date = `${pad(d.getDate())}.${pad(d.getMonth() + 1)}.`;
    const time = `${pad(d.getHours())}:${pad(d.getMinutes())}` + (step < 60 ? ":" + pad(d.getSeconds()) : "");
    const label = step >= 86400 ? date : time + (date === day ? "" : "\n" + date);
    day = date;
    return label;
  });
};

export const series = (label, name, more) => ({ label, stroke: colour(name), width: 1.75, points: { show: false }, value: (u, v) => number(v), ...more });
export const stepped = () => window.uPlot.paths.stepped({ align: 1 });

// band shades the range that a metric is to be held in, and draws its limits.
export const band = (min, max) => (u) => {
  if (min === undefined && max === undefined) return;
  const { ctx, bbox } = u, y = (v) => u.valToPos(v, "y", true);
  const low = min === undefined ? bbox.top + bbox.height : y(min), high = max === undefined ? bbox.top : y(max);
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = colour("range");
  ctx.fillRect(bbox.left, high, bbox.width, low - high);
  ctx.strokeStyle = colour("limit");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([6 * devicePixelRatio, 5 * devicePixelRatio]);
  for (const v of [min, max]) if (v !== undefined) { ctx.beginPath(); ctx.moveTo(bbox.left, y(v)); ctx.lineTo(bbox.left + bbox.width, y(v)); ctx.stroke(); }
  ctx.restore();
};

// chart draws with what options() says; update(data, say) gives it other data and a
// sentence about them for those who do not see it.
export const chart = ({ title, height = 170, options, onpick, signal }) => {
  const box = el("div", { class: "plot", tabindex: "0", role: "img", "aria-label": title });
  const caption = el("figcaption", {}, title);
  const element = el("figure", { class: "chart" }, caption, box);
  let u = null, data = null;
  const width = () => Math.max(240, Math.floor(box.clientWidth));
  const make = () => {
    if (!window.uPlot || !data || !box.clientWidth) return;
    if (u) u.destroy();
    const o = options();
    const cursor = { focus: { prox: 24 }, drag: { x: true, y: false }, ...o.cursor };
    u = new window.uPlot({ width: width(), height, legend: { live: true }, ...o, cursor }, data, box);
    box.uplot = u;
    if (onpick) {
      let down = null;
      u.over.addEventListener("mousedown", (e) => { down = e.clientX; });
      u.over.addEventListener("click", (e) => { if (down !== null && Math.abs(e.clientX - down) < 4) onpick(u, u.posToVal(u.cursor.left, "x")); });
    }
  };
  const self = { element, box, remake: make, call: (text) => { title = text; set(caption, text); }, update: (next, summary) => {
    const kinds = !data || data.length !== next.length;
    data = next;
    box.setAttribute("aria-label", `${title}. ${summary}`);
    if (u && !kinds) u.setData(data); else make();
  } };
  live.add(self);
  const watcher = new ResizeObserver(() => { if (u && Math.abs(u.width - width()) > 1) u.setSize({ width: width(), height }); else if (!u) make(); });
  watcher.observe(box);
  signal.addEventListener("abort", () => { live.delete(self); watcher.disconnect(); if (u) u.destroy(); });
  box.addEventListener("keydown", (e) => {
    if (!u || e.ctrlKey || e.altKey || e.metaKey) return;
    const x = u.data[0], at = u.cursor.idx ?? x.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: x.length - 1 }[e.key];
    if (to !== undefined) u.setCursor({ left: u.valToPos(x[Math.min(Math.max(to, 0), x.length - 1)], "x"), top: u.over.clientHeight / 2 });
    else if (e.key === "Enter" && onpick) onpick(u, x[at]);
    else return;
    e.preventDefault();
  });
  return self;
};

// along are the options of a chart along time; what is of the same key shares its cursor.
export const along = (sync, lines, { hooks, yMin, yMax, ints } = {}) => ({
  cursor: { sync: { key: sync } }, hooks,
  scales: { x: { time: true }, y: { range: (u, low, high) => {
    if (low === null || high === null || low === undefined) return [0, 1];
    const floor = yMin === undefined ? low : Math.min(low, yMin);
    const seen = yMax !== undefined && yMax < 4 * high ? Math.max(high, yMax) : high; // a limit that is near
    const top = seen === floor ? floor + 1 : seen;
    return [floor, top + (top - floor) * 0.12];
  } } },
  axes: [axis({ space: 70, size: 42, values: clock }), axis({ size: 54, values, incrs: ints ? [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] : undefined })],
  series: [{ label: "Time", value: (u, v) => (v === null ? "–" : local(v * 1000)) }, ...lines],
});

// decades labels 1, 2 and 5 of each on a logarithmic axis.
const decades = (u, ticks) => ticks.map((t) => ([1, 2, 5].includes(Number((t / 10 ** Math.floor(Math.log10(t) + 1e-9)).toFixed(3))) ? number(t) : ""));

// over are the options of a chart over numbers of nodes.
export const over = (lines, { hooks, bands, log } = {}) => ({
  hooks, bands, scales: { x: { time: false }, y: log ? { distr: 3, range: (u, low, high) => window.uPlot.rangeLog(low, high, 10, false) } : {} },
  axes: [axis({ size: 34, values, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }), axis({ size: 58, values: log ? decades : values })],
  series: [{ label: "Nodes", value: (u, v) => number(v) }, ...lines],
});
export const palette = colour;
