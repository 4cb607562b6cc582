"use strict";
// The report's charts. Everything is drawn from the JSON in #data; nothing is loaded.
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  // Text.
  const el = (tag, attrs, ...kids) => {
    const e = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) if (v !== null && v !== undefined) e.setAttribute(k, v);
    e.append(...kids.filter((k) => k !== null && k !== undefined));
    return e;
  };
  const digits = (v) => {
    if (v === null || v === undefined || !Number.isFinite(v)) return "–";
    const a = Math.abs(v);
    if (a !== 0 && (a < 1e-3 || a >= 1e7)) return v.toExponential(2).replace("e+", "e");
    return v.toLocaleString("en-GB", { maximumSignificantDigits: a >= 1000 ? 6 : 4 });
  };
  const percent = (v) => (v === null || v === undefined || !Number.isFinite(v) ? "–" : digits(Math.round(v * 1000) / 10) + " %");
  const when = (s) => (s ? new Date(s * 1000).toISOString().slice(0, 19).replace("T", " ") + " UTC" : "–");
  const say = (id, ...kids) => $(id).replaceChildren(...kids);
  const strong = (text) => el("strong", {}, text);
  const empty = (text) => el("p", { class: "empty" }, text);

  // Charts. Each is made again when the colours change.
  const makers = [];
  let live = [];
  const draw = () => {
    for (const u of live) u.destroy();
    live = [];
    for (const make of makers) make();
  };
  const tzDate = (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC");
  const axis = (label, more) => ({
    stroke: colour("quiet"), grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("line"), width: 1, size: 5 },
    font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif", label, labelSize: label ? 18 : 0, filter: labelled, ...more,
  });
  const values = (u, ticks) => ticks.map((t) => (t === null ? "" : digits(t)));
  // labelled chooses the ticks of a logarithmic axis that get a label: 1, 2 and 5.
  const labelled = (u, ticks, i) => (u.scales[u.axes[i].scale].distr === 3 ? ticks.map((t) => ([1, 2, 5].includes(Number((t / 10 ** Math.floor(Math.log10(t) + 1e-9)).toFixed(3))) ? t : null)) : ticks);

  // chart adds a chart to a parent: opts() and data() are asked anew for each theme.
  const chart = (parent, title, height, opts, data, summary) => {
    const box = el("div", { class: "chart", tabindex: "0", role: "img", "aria-label": title + (summary ? ". " + summary : "") });
    const wrap = el("div", {}, title ? el("h3", {}, title) : null, box);
    parent.append(wrap);
    const width = () => Math.max(260, Math.floor(box.getBoundingClientRect().width || parent.getBoundingClientRect().width));
    makers.push(() => {
      box.replaceChildren();
      const u = new uPlot({ width: width(), height, tzDate, ...opts() }, data(), box);
      box.uplot = u;
      live.push(u);
    });
    new ResizeObserver(() => {
      const u = box.uplot;
      if (u && Math.abs(u.width - width()) > 1) u.setSize({ width: width(), height });
    }).observe(box);
    box.addEventListener("keydown", (e) => keys(box.uplot, e));
    return box;
  };

  // keys move the cursor and zoom from the keyboard.
  const keys = (u, e) => {
    if (!u || e.ctrlKey || e.altKey || e.metaKey) return;
    const x = u.data[0], { min, max } = u.scales.x, span = max - min;
    const at = u.cursor.idx ?? Math.floor(x.length / 2);
    const zoom = (factor) => {
      const mid = Math.min(Math.max(x[at] ?? (min + max) / 2, min), max);
      const left = mid - (mid - min) * factor, right = mid + (max - mid) * factor;
      u.setScale("x", { min: Math.max(left, x[0]), max: Math.min(right, x[x.length - 1]) });
    };
    const move = (by) => {
      const i = Math.min(Math.max(at + by, 0), x.length - 1);
      if (x[i] < min || x[i] > max) {
        const shift = x[i] < min ? x[i] - min : x[i] - max;
        u.setScale("x", { min: min + shift, max: max + shift });
      }
      u.setCursor({ left: u.valToPos(x[i], "x"), top: u.over.clientHeight / 2 });
    };
    switch (e.key) {
      case "ArrowLeft": move(e.shiftKey ? -20 : -1); break;
      case "ArrowRight": move(e.shiftKey ? 20 : 1); break;
      case "+": case "=": zoom(0.6); break;
      case "-": case "_": zoom(1 / 0.6); break;
      case "0": case "Escape": u.setData(u.data, true); break;
      default: return;
    }
    e.preventDefault();
  };

  const line = (label, name, more) => ({ label, stroke: colour(name), width: 1.6, points: { show: false }, value: (u, v) => digits(v), spanGaps: false, ...more });
  // clock labels the time axis: hours and minutes, with the day where it changes.
  const clock = (u, ticks, i, space, step) => {
    let day = "";
    return ticks.map((t) => {
      const [date, time] = new Date(t * 1000).toISOString().split("T");
      const label = step >= 86400 ? date.slice(5) : time.slice(0, step < 60 ? 8 : 5) + (date === day ? "" : "\n" + date);
      day = date;
      return label;
    });
  };
  const timeAxis = () => axis("", { space: 80, size: 44, values: clock });
  const bound = (label) => line(label, "predicted", { width: 0, stroke: "transparent", class: "bound" });
  const timed = (sync) => ({ cursor: { sync: { key: sync }, focus: { prox: 24 } }, scales: { x: { time: true } } });
  const x = { label: "UTC", value: (u, v) => (v === null ? "–" : when(v).slice(0, 19)) };
  const stepped = uPlot.paths.stepped({ align: 1 });

  // range shades what a target is to be held in, behind the lines.
  const range = (t) => ({
    hooks: {
      drawClear: [(u) => {
        const { ctx, bbox } = u;
        const y = (v, otherwise) => (v === null ? otherwise : Math.min(Math.max(u.valToPos(v, "y", true), bbox.top), bbox.top + bbox.height));
        const top = y(t.max, bbox.top), bottom = y(t.min, bbox.top + bbox.height);
        ctx.save();
        ctx.fillStyle = colour("range");
        ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
        ctx.strokeStyle = colour("limit");
        ctx.setLineDash([6, 5]);
        ctx.lineWidth = devicePixelRatio;
        for (const v of [t.max, t.min]) {
          if (v === null || v < u.scales.y.min || v > u.scales.y.max) continue;
          const py = Math.round(u.valToPos(v, "y", true));
          ctx.beginPath(); ctx.moveTo(bbox.left, py); ctx.lineTo(bbox.left + bbox.width, py); ctx.stroke();
        }
        ctx.restore();
      }],
    },
  });

  // focusRange chooses the y scale so that a heavy tail does not flatten the rest: a
  // logarithm where all is positive and spans more than a factor of 20.
  const finite = (v) => v.filter((n) => n !== null && Number.isFinite(n));
  const spread = (...lists) => {
    const all = finite(lists.flat());
    if (!all.length) return {};
    const low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
    return low > 0 && high / low > 20 ? { distr: 3, range: (u, min, max) => uPlot.rangeLog(min ?? low, max ?? high, 10, false) } : { range: (u, min, max) => (min === max ? [min - 1, max + 1] : uPlot.rangeNum(min ?? 0, max ?? 1, 0.1, true)) };
  };

  const inputValues = (j) => D.values[j];
  const targetValues = (t) => D.values[D.inputs.length + t];
  const enough = D.time.length > 1;

  // Now.
  const a = D.advice;
  {
    const left = el("div", {}), right = el("div", {});
    $("now").append(left, right);
    left.append(el("h2", { id: "now-title" }, "Advice"));
    if (!a) {
      left.append(empty("Nothing was advised yet."));
    } else {
      const change = a.vm_number - D.what_if.present;
      left.append(
        el("div", { class: "big" }, a.valid ? String(a.vm_number) : "–", el("small", {}, a.valid ? (a.vm_number === 1 ? " node" : " nodes") : "")),
        el("div", {}, a.valid ? (change === 0 ? "as many as exist" : `${change > 0 ? "+" : "−"}${Math.abs(change)} on the ${D.what_if.present} that exist`) : `${D.what_if.present} exist`),
        el("span", { class: "badge " + (a.valid ? "good" : "bad") }, a.valid ? "to be followed" : "not to be followed"),
        el("span", { class: "badge quiet" }, a.phase));
      const facts = el("dl", { class: "facts" });
      const fact = (name, value) => facts.append(el("div", {}, el("dt", {}, name), el("dd", {}, value)));
      if (a.valid) fact("Reliability", digits(Math.round(a.reliability * 10) / 10) + " %");
      fact("Model in charge", a.model || "none");
      fact("Method", D.method);
      right.append(facts);
      if (a.reasons && a.reasons.length) right.append(el("div", { class: "quiet" }, "Why"), el("ul", {}, ...a.reasons.map((r) => el("li", {}, r))));
      if (!a.valid && a.error_msg) $("now").append(el("p", { class: "problem" }, a.error_msg));
    }
    if (D.problem) $("now").append(el("p", { class: "problem" }, D.problem));
  }
  $("made").textContent = D.made ? `${D.knowledge.samples.toLocaleString("en-GB")} samples up to ${when(Date.parse(D.made) / 1000)}` : "There is no sample yet.";

  // Target and advice.
  if (!enough) $("target-charts").append(empty("Two samples are needed."));
  else {
    D.targets.forEach((t, i) => {
      chart($("target-charts"), t.name, 240, () => ({
        ...timed("time"), scales: { x: { time: true }, y: spread(targetValues(i), [t.min, t.max]) }, ...range(t),
        axes: [timeAxis(), axis("", { size: 64, values })], series: [x, line("measured", "measured", { width: 1.4 })],
      }), () => [D.time, targetValues(i)], limits(t));
    });
    chart($("target-charts"), "Nodes", 190, () => ({
      ...timed("time"), axes: [timeAxis(), axis("", { size: 64, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] })],
      scales: { x: { time: true }, y: { range: (u, min, max) => [Math.max(0, Math.floor((min ?? 0) - 1)), Math.ceil((max ?? 1) + 1)] } },
      series: [x, line("exist", "total", { paths: stepped, width: 2.4 }), line("ready", "nodes", { paths: stepped }), line("advised", "advice", { paths: stepped, dash: [5, 3] })],
    }), () => [D.time, D.total, D.nodes, D.advised], "Nodes that exist, are ready, and are advised");
  }
  function limits(t) {
    if (t.min !== null && t.max !== null) return `To be held between ${digits(t.min)} and ${digits(t.max)}`;
    return t.max !== null ? `To be held under ${digits(t.max)}` : `To be held above ${digits(t.min)}`;
  }

  // What if.
  const counts = D.what_if.counts || [];
  if (!counts.length) {
    say("whatif-say", "No count was evaluated at the last advice.");
  } else {
    const within = counts.filter((c) => c.holds).map((c) => c.nodes);
    say("whatif-say", "Each count as it was predicted at the last advice, with the interval that is to hold the value 8 times in 10. ",
      within.length ? `Every target is predicted in range with ${within.length === counts.length ? "all counts" : list(within)}. ` : "No count is predicted to hold every target. ",
      "The advice is ", strong(String(D.what_if.advised)), ", ", strong(String(D.what_if.present)), " exist.");
    D.targets.forEach((t, i) => {
      const low = counts.map((c) => c.targets[i].low), high = counts.map((c) => c.targets[i].high), value = counts.map((c) => c.targets[i].value);
      chart($("whatif-charts"), t.name, 230, () => {
        const shade = range(t);
        shade.hooks.draw = [(u) => intervals(u, low, high)];
        return {
          scales: { x: { time: false, range: [counts[0].nodes - 0.6, counts[counts.length - 1].nodes + 0.6] }, y: spread(low, high, [t.min, t.max]) }, ...shade,
          axes: [axis("nodes", { incrs: [1, 2, 5, 10, 20, 50, 100] }), axis("", { size: 64, values })],
          series: [{ label: "nodes" }, line("predicted", "predicted", { width: 1.2, points: { show: true, size: 8, fill: colour("predicted") } }),
            bound("low"), bound("high")],
        };
      }, () => [counts.map((c) => c.nodes), value, low, high], limits(t));
    });
    const rows = counts.map((c) => el("tr", { class: c.nodes === D.what_if.advised ? "chosen" : null }, el("td", {}, `${c.nodes}${c.nodes === D.what_if.advised ? " (advised)" : c.nodes === D.what_if.present ? " (exist)" : ""}`),
      ...c.targets.map((p) => el("td", {}, `${digits(p.value)}  (${digits(p.low)} to ${digits(p.high)})`)), el("td", {}, percent(c.risk)), el("td", {}, c.holds ? "yes" : "no")));
    $("whatif-table").append(el("details", {}, el("summary", {}, "As a table"), el("div", { class: "scroll" }, el("table", {},
      head("nodes", ...D.targets.map((t) => t.name), "risk of a violation", "in range"), el("tbody", {}, ...rows)))));
  }
  function list(n) {
    return n.length > 2 && n[n.length - 1] - n[0] === n.length - 1 ? `${n[0]} to ${n[n.length - 1]} nodes` : n.join(", ") + (n.length === 1 && n[0] === 1 ? " node" : " nodes");
  }
  function head(...names) { return el("thead", {}, el("tr", {}, ...names.map((n) => el("th", { scope: "col" }, n)))); }
  function intervals(u, low, high) {
    const { ctx } = u, cap = 5 * devicePixelRatio;
    ctx.save();
    ctx.lineWidth = 1.6 * devicePixelRatio;
    counts.forEach((c, k) => {
      const px = u.valToPos(c.nodes, "x", true), top = u.valToPos(high[k], "y", true), bottom = u.valToPos(low[k], "y", true);
      ctx.strokeStyle = colour("predicted");
      ctx.beginPath();
      ctx.moveTo(px, top); ctx.lineTo(px, bottom);
      ctx.moveTo(px - cap, top); ctx.lineTo(px + cap, top); ctx.moveTo(px - cap, bottom); ctx.lineTo(px + cap, bottom);
      ctx.stroke();
      if (c.nodes === D.what_if.advised || c.nodes === D.what_if.present) {
        ctx.strokeStyle = colour(c.nodes === D.what_if.advised ? "advice" : "nodes");
        ctx.setLineDash([4, 4]);
        ctx.beginPath(); ctx.moveTo(px, u.bbox.top); ctx.lineTo(px, u.bbox.top + u.bbox.height); ctx.stroke();
        ctx.setLineDash([]);
        ctx.fillStyle = ctx.strokeStyle;
        ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
        ctx.textAlign = "left";
        const label = c.nodes === D.what_if.advised ? "advised" : "exist", w = ctx.measureText(label).width;
        const right = px + 6 * devicePixelRatio;
        ctx.fillText(label, right + w > u.bbox.left + u.bbox.width ? px - w - 6 * devicePixelRatio : right, u.bbox.top + 13 * devicePixelRatio);
      }
    });
    ctx.restore();
  }

  // Predictions.
  const judged = D.predictions.some((p) => p.judged > 1);
  if (!judged) {
    say("predicted-say", "No advice is old enough to be judged by what came.");
  } else {
    say("predicted-say", "What the advice of ", strong(D.predictions[0].horizon), " before had expected for the nodes that were ready then; the band is to hold 8 measurements in 10.");
    D.predictions.forEach((p, i) => {
      const pair = el("div", { class: "pair" });
      $("predicted-charts").append(pair);
      const t = D.targets[i];
      chart(pair, `${t.name}: ${percent(p.coverage)} of ${p.judged} within the band, off by ${percent(p.median_relative)} in the middle`, 260, () => ({
        ...timed("time"), scales: { x: { time: true }, y: spread(targetValues(i), p.value) },
        axes: [timeAxis(), axis("", { size: 64, values })],
        series: [x, bound("high"), bound("low"),
          line("predicted", "predicted"), line("measured", "measured", { width: 1.2 })],
        bands: [{ series: [1, 2], fill: colour("band") }],
      }), () => [D.time, p.high, p.low, p.value, targetValues(i)]);
      scatter(pair, "Predicted against measured", targetValues(i), p.value, "measured", "predicted", { diagonal: true, height: 260 });
    });
  }

  // scatter draws points; uPlot wants them sorted along x.
  function scatter(parent, title, xs, ys, xLabel, yLabel, o) {
    let points = xs.map((v, i) => [v, ys[i]]).filter(([u, v]) => u !== null && v !== null && u !== undefined && v !== undefined);
    const step = Math.ceil(points.length / 1200);
    points = points.filter((_, i) => i % step === 0).sort((p, q) => p[0] - q[0]);
    if (points.length < 2) { parent.append(el("div", {}, el("h3", {}, title), empty("Too few points."))); return; }
    const px = points.map((p) => p[0]), py = points.map((p) => p[1]);
    const sx = spread(px), sy = spread(py), both = o.diagonal ? spread(px, py) : null;
    chart(parent, title, o.height || 220, () => ({
      cursor: { drag: { x: true, y: false } }, legend: { show: true },
      scales: { x: { time: false, ...(both || sx) }, y: both || sy },
      hooks: o.diagonal ? { draw: [diagonal] } : {},
      axes: [axis(xLabel, { values, space: 60 }), axis(yLabel, { size: 60, values })],
      series: [{ label: xLabel, value: (u, v) => digits(v) }, {
        label: yLabel, stroke: colour(o.name || "measured"), paths: () => null, value: (u, v) => digits(v),
        points: { show: true, size: 4, width: 0, fill: colour(o.name || "measured") + "90" },
      }],
    }), () => [px, py]);
  }
  function diagonal(u) {
    const { ctx, bbox } = u, low = Math.max(u.scales.x.min, u.scales.y.min), high = Math.min(u.scales.x.max, u.scales.y.max);
    if (low >= high) return;
    ctx.save();
    ctx.beginPath(); ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height); ctx.clip();
    ctx.strokeStyle = colour("quiet");
    ctx.setLineDash([6, 5]);
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(u.valToPos(low, "x", true), u.valToPos(low, "y", true));
    ctx.lineTo(u.valToPos(high, "x", true), u.valToPos(high, "y", true));
    ctx.stroke();
    ctx.restore();
  }

  // Models and trainings.
  const trainings = D.trainings || [], good = trainings.filter((t) => !t.error && t.quality && t.quality.length);
  const champion = a ? a.model : "none", charge = (m) => m === champion || m.startsWith(champion + " ");
  if (!good.length) {
    say("models-say", "The model in charge is ", strong(champion), ". No training has been judged on samples held out from it",
      trainings.length && trainings[trainings.length - 1].error ? `; the last one failed: ${trainings[trainings.length - 1].error}.` : ".");
  } else {
    const last = good[good.length - 1];
    say("models-say", "The model in charge is ", strong(champion), `. Judged on the newest samples of the last training, of ${when(last.at)}, which it had not seen. `,
      "Skill is the error saved against a naive model: 0 or less is no better.");
    const rows = last.quality.map((q) => el("tr", { class: charge(q.model) ? "chosen" : null }, el("td", {}, q.model + (charge(q.model) ? " (in charge)" : "")), el("td", {}, q.target),
      el("td", {}, digits(q.log_error)), el("td", {}, percent(q.median_relative)), el("td", {}, digits(q.mae)), el("td", {}, digits(q.r2)), el("td", {}, percent(q.coverage)),
      skill(q.skill_persistence), skill(q.skill_reactive), el("td", {}, `${q.train} / ${q.test}`)));
    $("models-table").append(el("div", { class: "scroll" }, el("table", {}, head("model", "target", "log error", "middle error", "MAE", "R²", "within 80 % interval", "skill v persistence", "skill v reactive", "trained / held out"), el("tbody", {}, ...rows))));
    const keys = [...new Set(good.flatMap((t) => t.quality.map((q) => q.model + " · " + q.target)))];
    const palette = ["predicted", "measured", "advice", "nodes", "limit", "quiet"];
    if (good.length > 1) {
      const at = good.map((t) => t.at);
      const series = keys.map((k) => good.map((t) => (t.quality.find((q) => q.model + " · " + q.target === k) || {}).log_error ?? null));
      chart($("models-charts"), "Held-out log error of each training", 180, () => ({
        ...timed("trainings"), axes: [timeAxis(), axis("", { size: 64, values })], scales: { x: { time: true }, y: spread(series.flat()) },
        series: [x, ...keys.map((k, i) => line(k, palette[i % palette.length], { points: { show: true, size: 6 } }))],
      }), () => [at, ...series]);
    }
  }
  if (trainings.length) {
    const rows = trainings.slice(-50).reverse().map((t) => el("tr", {}, el("td", {}, when(t.at)), el("td", {}, t.seconds ? digits(t.seconds) + " s" : "–"),
      el("td", {}, t.error ? el("span", { class: "bad" }, t.error) : "in use"), el("td", {}, t.quality && t.quality.length ? digits(t.quality[0].log_error) : "–")));
    $("models-charts").append(el("details", {}, el("summary", {}, `${trainings.length} trainings`), el("div", { class: "scroll" },
      el("table", {}, head("newest sample", "took", "result", "log error"), el("tbody", {}, ...rows)))));
  }
  function skill(v) { return el("td", { class: v > 0 ? "good" : "bad" }, digits(Math.round(v * 1000) / 1000)); }

  // Reliability.
  const calibration = D.calibration || [];
  if (enough && finite(D.reliability).length > 1) {
    chart($("reliability-charts"), "Reliability of each advice", 240, () => ({
      ...timed("time"), axes: [timeAxis(), axis("%", { size: 64 })], scales: { x: { time: true }, y: { range: [0, 102] } },
      series: [x, line("reliability", "predicted")],
    }), () => [D.time, D.reliability]);
  } else $("reliability-charts").append(empty("There are too few valid advices."));
  if (calibration.length) {
    const n = calibration.reduce((s, c) => s + c.advices, 0);
    const off = calibration.reduce((s, c) => s + c.advices * Math.abs(c.claimed - c.held), 0) / n;
    say("reliability-say", "Each point is a group of advices that claimed a like chance to hold the targets; on the diagonal the claim came true as often as it said. ",
      "Before calibration the claims are off by ", strong(percent(off)), ` in the mean, over ${digits(Math.round(n))} advices; the reliability shown is corrected by what held.`);
    chart($("reliability-charts"), "Claimed against held", 240, () => ({
      scales: { x: { time: false, range: [-0.03, 1.03] }, y: { range: [-0.03, 1.03] } }, hooks: { draw: [diagonal, bubbles] },
      axes: [axis("claimed", { space: 50 }), axis("held", { size: 60 })],
      series: [{ label: "claimed", value: (u, v) => percent(v) }, { label: "held", stroke: colour("advice"), paths: () => null, points: { show: false }, value: (u, v) => percent(v) }],
    }), () => [calibration.map((c) => c.claimed), calibration.map((c) => c.held)]);
  } else say("reliability-say", "No advice has been judged yet.");
  function bubbles(u) {
    const most = Math.max(...calibration.map((c) => c.advices)), { ctx } = u;
    ctx.save();
    ctx.fillStyle = colour("advice") + "b0";
    ctx.strokeStyle = colour("advice");
    for (const c of calibration) {
      ctx.beginPath();
      ctx.arc(u.valToPos(c.claimed, "x", true), u.valToPos(c.held, "y", true), (3 + 9 * Math.sqrt(c.advices / most)) * devicePixelRatio, 0, 2 * Math.PI);
      ctx.fill(); ctx.stroke();
    }
    ctx.restore();
  }

  // Inputs.
  if (!enough) $("inputs-charts").append(empty("Two samples are needed."));
  else {
    D.inputs.forEach((name, j) => {
      const pair = el("div", { class: "pair" });
      $("inputs-charts").append(pair);
      chart(pair, name, 170, () => ({
        ...timed("time"), axes: [timeAxis(), axis("", { size: 64, values })], scales: { x: { time: true }, y: spread(inputValues(j)) },
        series: [x, line(name, "measured", { width: 1.2 })],
      }), () => [D.time, inputValues(j)]);
      scatter(pair, `${D.targets[0].name} against ${name}`, inputValues(j), targetValues(0), name, D.targets[0].name, { height: 170 });
    });
  }

  // Scaling.
  {
    const number = (v) => el("td", {}, digits(v));
    const rows = D.regressions.map((r) => el("tr", {}, el("td", {}, r.metric), number(r.events), ...(r.problem ? [el("td", { colspan: 5, class: "quiet" }, r.problem)] : [number(r.w0), number(r.w1), number(r.w2),
      el("td", { class: r.r > r.persistence + 0.005 ? "good" : null }, digits(r.r)), number(r.persistence)])));
    $("scaling-table").append(el("div", { class: "scroll" }, el("table", {}, head("input", "events", "w₀", "w₁", "w₂", "r", "r of persistence"), el("tbody", {}, ...rows))));
    for (const r of D.regressions) {
      if (r.measured && r.measured.length > 2) scatter($("scaling-charts"), `${r.metric} after scaling`, r.measured, r.estimated, "measured", "estimated", { diagonal: true, name: "nodes" });
    }
  }

  // Correlation.
  {
    const names = [...D.inputs, ...D.targets.map((t) => t.name)];
    const cell = (v) => el("td", { style: v === null ? null : `background: rgba(var(--${v < 0 ? "minus" : "plus"}), ${(Math.abs(v) * 0.55).toFixed(2)})` }, v === null ? "–" : v.toFixed(2));
    $("correlation-table").append(el("table", { class: "matrix" }, head("", ...names),
      el("tbody", {}, ...names.map((n, i) => el("tr", {}, el("th", { scope: "row" }, n), ...D.correlation[i].map(cell))))));
  }

  // Knowledge and drift.
  {
    const k = D.knowledge, facts = el("dl", { class: "facts" });
    const fact = (name, value) => facts.append(el("div", {}, el("dt", {}, name), el("dd", {}, value)));
    fact("Samples kept", k.samples.toLocaleString("en-GB"));
    fact("At most", `${k.recent.toLocaleString("en-GB")} + ${k.older.toLocaleString("en-GB")}`);
    fact("Of them here", k.shown.toLocaleString("en-GB"));
    fact("Complete", percent(k.complete));
    fact("Scaling events", k.events.toLocaleString("en-GB"));
    fact("Node counts seen", k.counts && k.counts.length ? (k.counts.length > 6 ? `${k.counts[0]} to ${k.counts[k.counts.length - 1]}` : k.counts.join(", ")) : "–");
    fact("Time between samples", k.interval || "–");
    fact("A node's boot", k.boot);
    $("knowledge-facts").append(facts);
    const p = D.predictions.findIndex((q) => q.judged > 20);
    if (p >= 0) {
      const q = D.predictions[p], ratio = q.recent !== null && q.before ? q.recent / q.before : null;
      $("drift-charts").append(el("p", { class: "say" }, ratio === null ? "Too few predictions were judged to tell drift." : ratio > 1.5
        ? `The newest predictions err ${digits(Math.round(ratio * 10) / 10)} times as much as those before: something has changed.`
        : "The newest predictions err no more than those before by a margin that would mean drift."));
      chart($("drift-charts"), `Running error of the predictions of ${D.targets[p].name}`, 170, () => ({
        ...timed("time"), axes: [timeAxis(), axis("", { size: 64, values })], scales: { x: { time: true }, y: { range: (u, min, max) => [0, Math.max(max ?? 0.1, 0.05) * 1.1] } },
        series: [x, line("mean |log(predicted/measured)|", "limit")],
      }), () => [D.time, q.error]);
    }
  }

  for (const s of document.querySelectorAll("[data-nav]")) $("sections").append(el("li", {}, el("a", { href: "#" + s.id }, s.dataset.nav)));
  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  document.documentElement.dataset.drawn = String(live.length);
})();
