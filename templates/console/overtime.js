// A group over time: its nodes with the decisions marked, and its metrics with their ranges.
import { get, groupPath, poll } from "./client.js";
import { el, failure, number, say } from "./ui.js";
import { along, band, chart, palette, series, stepped } from "./charts.js";

const RANGES = { 1: "1 h", 6: "6 h", 24: "24 h", 168: "7 d" };

// chartsSection shows the group over time.
export const chartsSection = (root, app, name, signal, pick) => {
  let hours = 1, born = null, data = null, decisions = [], shownSpan = [0, 1];
  const sync = `${app}/${name}`;
  const ranges = el("fieldset", { class: "ranges" }, el("legend", { class: "unseen" }, "Time shown"),
    Object.entries(RANGES).map(([h, text]) => el("label", {}, el("input", { type: "radio", name: "range", value: h, checked: h === "1", onchange: () => { hours = Number(h); born = null; load().catch(failed); } }), el("span", {}, text))));
  const box = el("div", { class: "charts" }), wrong = el("div", { "aria-live": "polite" });
  const note = el("p", { class: "quiet small" }, "A mark is a decision: click it, or move with ← → and press Enter, to see why.");
  const section = el("section", { class: "card" }, el("div", { class: "split" }, el("h2", {}, "Over time"), ranges), wrong, box, note);
  root.append(section);
  const inView = () => decisions.filter((d) => d.from !== d.to || (d.drop || []).length);
  // marks draws the decisions that changed something at their instant.
  const marks = (u) => {
    const { ctx, bbox } = u, r = devicePixelRatio;
    ctx.save();
    for (const d of inView()) {
      const x = u.valToPos(new Date(d.at) / 1000, "x", true), y = Math.max(bbox.top + 6 * r, u.valToPos(d.to, "y", true)), up = d.to >= d.from ? 1 : -1;
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.fillStyle = palette(d.to > d.from ? "advice" : d.to < d.from ? "measured" : "quiet");
      ctx.beginPath();
      ctx.moveTo(x, y - up * 6 * r); ctx.lineTo(x + 5 * r, y + up * 4 * r); ctx.lineTo(x - 5 * r, y + up * 4 * r);
      ctx.fill();
    }
    ctx.restore();
  };
  const picked = (u, t) => {
    const near = inView().map((d) => [Math.abs(u.valToPos(new Date(d.at) / 1000, "x") - u.valToPos(t, "x")), d]).sort((a, b) => a[0] - b[0])[0];
    if (near && near[0] < 24) pick(near[1].id);
  };
  const made = new Map();
  const make = (key, title, options, onpick) => {
    if (!made.has(key)) { const c = chart({ title, options, onpick, signal, height: key === "nodes" ? 190 : 160 }); made.set(key, c); box.append(c.element); }
    return made.get(key);
  };
  // gaps breaks the lines where nothing was seen.
  const gaps = (times, lists) => {
    const x = [], out = lists.map(() => []);
    const longest = Math.max(90, 4 * data.step_seconds);
    times.forEach((t, i) => {
      if (i && t - times[i - 1] > longest) { x.push(times[i - 1] + 1); out.forEach((o) => o.push(null)); }
      x.push(t);
      lists.forEach((l, j) => out[j].push(l[i]));
    });
    return [x, ...out];
  };
  const draw = () => {
    const times = data.at.map((t) => new Date(t) / 1000);
    // A group that is younger than the time shown gets all of the width, from five minutes on.
    const to = new Date(data.to) / 1000, from = Math.max(new Date(data.from) / 1000, Math.min(times.length ? times[0] - data.step_seconds : 0, to - 300));
    shownSpan = times.length ? [from, to] : [new Date(data.from) / 1000, to];
    const window_ = { x: { time: true, range: () => shownSpan } };
    const timed = (o) => ({ ...o, scales: { ...o.scales, ...window_ } });
    const last = (l) => l[l.length - 1];
    const nodes = make("nodes", "Nodes", () => timed(along(sync, [
      series("Ready", "nodes", { paths: stepped(), width: 2.5 }), series("Existing", "total", { paths: stepped(), width: 1.5 }), series("Wanted", "advice", { paths: stepped(), dash: [5, 4] }),
    ], { hooks: { draw: [marks] }, yMin: 0, ints: true })), picked);
    nodes.update(gaps(times, [data.ready, data.existing, data.wanted]), times.length ? `Now ${last(data.wanted)} wanted, ${last(data.existing)} existing, ${last(data.ready)} ready. Enter on an instant explains the nearest decision.` : "Nothing was seen yet");
    const order = [...data.metrics].sort((a, b) => Number(Boolean(a.target)) - Number(Boolean(b.target)));
    for (const m of order.slice(0, 6)) {
      const range = m.target ? ` · to be ${m.min !== undefined && m.max !== undefined ? `${number(m.min)} to ${number(m.max)}` : m.max !== undefined ? `at most ${number(m.max)}` : `at least ${number(m.min)}`}` : m.per_node !== undefined ? ` · ${number(m.per_node)} is one node's share` : "";
      const lines = () => [series(m.name, m.target ? "predicted" : "measured"), ...(m.per_node !== undefined ? [series("What is wanted serves", "advice", { paths: stepped(), dash: [5, 4], width: 1.25 })] : [])];
      const c = make("metric " + m.name, m.name + range, () => timed(along(sync, lines(), { hooks: { drawClear: [(u) => band(m.min, m.max)(u)] }, yMin: 0, yMax: m.max ?? m.min })));
      const lists = [m.values, ...(m.per_node !== undefined ? [data.wanted.map((n) => n * m.per_node)] : [])];
      const known = m.values.filter((v) => v !== null);
      c.update(gaps(times, lists), known.length ? `Newest value ${number(last(known))}` : "No value");
    }
  };
  const failed = (e) => { if (e.name !== "AbortError") say(wrong, failure(e)); };
  let drawn = "";
  const load = async () => {
    const to = Date.now(), begin = to - hours * 3600e3;
    const from = Math.max(begin, Math.min(born ?? begin, to - 300e3));
    data = await get(groupPath(app, name, "history"), { from: new Date(from).toISOString(), to: new Date(to).toISOString() }, { signal });
    // Of a group that is younger than the time shown, its time is asked for in finer steps.
    if (born === null && data.at.length && new Date(data.at[0]) - begin > 60e3) {
      born = new Date(data.at[0]) - 1000 * data.step_seconds;
      return load();
    }
    say(wrong);
    draw();
    section.dataset.drawn = String(data.at.length);
  };
  poll(load, 10000, signal, failed);
  return { hours: () => hours, decided: (list) => { decisions = list; const text = `${list.length} ${(list[0] || {}).id}`; if (text !== drawn && data) { drawn = text; for (const c of made.values()) if (c.box.uplot) c.box.uplot.redraw(); } } };
};
