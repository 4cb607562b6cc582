// A group's optimizer: its advice, what it expects of each number of nodes, and what its
// models are worth.
import { get, groupPath } from "./client.js";
import { age, ago, banner, card, count, el, facts, given, number, percent, quiet, row, say, table, when } from "./ui.js";
import { band, chart, over, palette, series } from "./charts.js";

// optimizerSection shows what the optimizer expects and what its models are worth.
export const optimizerSection = (root, app, name, signal) => {
  const head = el("div", {}), curve = el("div", {}), models = el("div", {});
  const section = card("Optimizer", head, el("div", { class: "pair" }, curve, models));
  section.hidden = true;
  root.append(section);
  let c = null, told = "", targets = [], wanted = 0, advice = null, steep = false;
  get(groupPath(app, name, "report"), { format: "json" }, { signal }).then((r) => { targets = r.targets || []; told = ""; }).catch(() => {});
  const MODELS = ["Model", "#Error", "#In 80 % interval", "#Better than “as before”"];
  return { update: (g) => {
    const o = g.optimizer;
    section.hidden = !o;
    if (!o) return;
    const text = JSON.stringify([o, g.wanted, targets.length]);
    if (text === told) return;
    told = text;
    advice = o.advice; wanted = g.wanted;
    say(head, !advice ? quiet("No advice yet.") : [
      el("p", {}, advice.valid ? [el("strong", {}, `Advises ${count(advice.vm_number, "node")}`), `, ${number(advice.reliability)} % sure that the targets hold`] : [el("strong", {}, "No valid advice. "), advice.error_msg], " ", el("span", { class: "note" }, `${advice.phase}, model ${advice.model || "none"}`)),
      advice.reasons && el("ul", {}, advice.reasons.map((r) => el("li", {}, r)))],
    o.problem && banner("warn", o.problem),
    facts([["Samples", number(o.samples)], ["Trainings", number(o.trainings)], ["Trained on", given(o.trained_at) ? when(o.trained_at, ago(o.trained_at)) : "–"], given(o.training_since) && ["Training", `for ${age(o.training_since)}`]]),
    el("p", {}, el("a", { href: groupPath(app, name, "report") + "?format=html", target: "_blank", rel: "noopener" }, "The whole report")));
    const counts = (advice && advice.candidates) || [];
    if (counts.length > 1) {
      const t = targets[0] || {};
      // A target that grows tenfold where nodes are few is drawn on a logarithmic scale.
      const expected = counts.flatMap((x) => { const p = (x.targets || [])[0] || {}; return [p.value, p.low, p.high]; });
      const wasSteep = steep;
      steep = expected.every((v) => v > 0) && Math.max(...expected) > 20 * Math.min(...expected);
      if (!c) {
        c = chart({ title: "What if", height: 220, signal, options: () => over([
          series("Expected", "predicted", { width: 2, points: { show: true, size: 5 } }), series("High", "predicted", { width: 0.5 }), series("Low", "predicted", { width: 0.5 }),
        ], { log: steep, bands: [{ series: [2, 3], fill: palette("band") }], hooks: { drawClear: [(u) => band((targets[0] || {}).min ?? undefined, (targets[0] || {}).max ?? undefined)(u)], draw: [(u) => {
          const { ctx, bbox } = u, r = devicePixelRatio;
          ctx.save();
          for (const [n, tone, label] of [[wanted, "quiet", "now"], [advice && advice.vm_number, "advice", "advised"]]) {
            const x = u.valToPos(n, "x", true);
            if (n === null || x < bbox.left || x > bbox.left + bbox.width) continue;
            ctx.strokeStyle = ctx.fillStyle = palette(tone);
            ctx.lineWidth = 1.5 * r;
            ctx.setLineDash([4 * r, 4 * r]);
            ctx.beginPath(); ctx.moveTo(x, bbox.top); ctx.lineTo(x, bbox.top + bbox.height); ctx.stroke();
            ctx.textAlign = x > bbox.left + bbox.width * 0.8 ? "right" : "left";
            ctx.font = `${11 * r}px system-ui, sans-serif`;
            ctx.fillText(label, x + (ctx.textAlign === "right" ? -4 : 4) * r, bbox.top + (tone === "quiet" ? 26 : 12) * r);
          }
          ctx.restore();
        }] } }) });
        say(curve, c.element);
      }
      c.call(`What if: ${t.name || "the target"} with each number of nodes`);
      if (steep !== wasSteep) c.remake();
      const at = (f) => counts.map((x) => f((x.targets || [])[0] || {}));
      c.update([counts.map((x) => x.nodes), at((p) => p.value), at((p) => p.high), at((p) => p.low)], `For ${counts.map((x) => `${x.nodes}: ${number(((x.targets || [])[0] || {}).value)}`).join(", ")}`);
    } else if (!c) say(curve, quiet("The what-if curve comes with the first predictions."));
    say(models, el("h3", {}, "Models, on samples they have not seen"), (o.quality || []).length ? table("Quality of the models", MODELS, o.quality.map((q) => row(MODELS, [
      [q.model, advice && q.model === advice.model ? el("span", { class: "badge good" }, "in charge") : null], percent(q.median_relative), percent(q.coverage), q.skill_persistence > 0 ? `by ${percent(q.skill_persistence)}` : "no"]))) : quiet("No training yet."));
  } };
};
