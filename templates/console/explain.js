// One decision, from what was seen to what came of it.
import { get, path } from "./client.js";
import { age, badge, dialog, el, failure, money, number, quiet, row, say, signed, span, table, total, when } from "./ui.js";

const reading = (r) => {
  if (r.missing) return el("span", { class: "bad" }, r.missing, r.detail ? `: ${r.detail}` : "");
  if (r.firing !== undefined && r.firing !== null) return r.firing ? "firing" : "not firing";
  const samples = r.samples || [];
  if (r.label) return samples.map((s) => (s.labels || {})[r.label]).join(", ") || "none";
  return number((samples[0] || {}).value) + (samples.length > 1 ? ` (the first of ${samples.length} series)` : "");
};

const said = (p) => {
  if (p.error) return el("span", { class: "bad" }, "failed, holds");
  if (p.hold) return "holds";
  if (p.abstain) return "no opinion";
  const bounds = [p.min !== undefined && p.min !== null && `min ${p.min}`, p.max !== undefined && p.max !== null && `max ${p.max}`].filter(Boolean);
  return bounds.length ? bounds.join(", ") : number(p.nodes);
};

const size = (d) => (d.from === d.to ? `stays at ${d.to}` : `${d.from} → ${d.to}`);
export const summary = (d) => `${size(d)}${d.drop && d.drop.length ? `, drops ${d.drop.join(", ")}` : ""}`;

const stage = (title, ...kids) => el("li", { class: "stage" }, el("h3", {}, title), ...kids);

const cost = (d, known) => {
  const per = d.cost ? d.cost.per_node : known && known.per_node;
  if (per === undefined || per === null) return null;
  const currency = d.cost ? d.cost.currency : known.currency;
  const delta = (d.to - d.from) * per;
  return stage("Cost", el("p", {}, delta === 0 ? "no difference" : `${signed(delta, (v) => money(v, currency))} an hour`, `, at ${money(per, currency)} a node`),
    d.cost && el("p", {}, `This month ${total(d.cost.month, currency)}; ${money(d.cost.month_forecast, currency)} at its end if the size stays`,
      d.cost.max_per_month ? `, of a budget of ${money(d.cost.max_per_month, currency)}` : "", "."));
};

// step is a step of the journal: its nodes, its plan, its phases, what terraform did.
export const step = (s) => el("li", { class: "step" }, el("p", {}, el("strong", {}, s.shard), " ", badge(s.phase), " ", (s.add || []).map((n) => `+${n} `), (s.remove || []).map((n) => `−${n} `)),
  s.plan && el("p", { class: "quiet" }, `plan: ${s.plan.create} to create, ${s.plan.update} to change, ${s.plan.replace} to replace, ${s.plan.delete} to destroy`),
  el("ol", { class: "phases" }, (s.history || []).map((h, i, all) => el("li", {}, h.phase, " ", when(h.at, i ? "+" + span((new Date(h.at) - new Date(all[i - 1].at)) / 1000) : new Date(h.at).toTimeString().slice(0, 8))))),
  s.resources && s.resources.length > 0 && el("ul", { class: "changes" }, s.resources.map((r) => el("li", { class: "change " + (r.ok ? r.action : "failed") }, el("code", {}, r.address), ` ${r.action}, ${r.ok ? "done" : "failed"} in ${number(r.seconds)} s`, r.error ? el("span", { class: "bad" }, ": ", r.error) : null))),
  s.error && el("pre", { class: "bad" }, s.error));

// explanation is the content: a list of stages in their order.
export const explanation = (e, known) => {
  const d = e.decision;
  const seen = Object.entries(d.readings || {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const READ = ["Metric", "#Value", "#Age"], SAID = ["Policy", "#Proposal", "Why"], SHADE = ["Shadow policy", "#Would", "Why"];
  const clamps = d.clamps || [];
  const told = new Set([...clamps, ...(d.proposals || []).map((p) => `${p.policy}: ${p.reason}`)]);
  const reasons = (d.reasons || []).filter((r) => !told.has(r));
  return el("ol", { class: "stages" },
    stage("Seen", seen.length ? table("Metrics that were seen", READ, seen.map(([name, r]) => row(READ, [name, reading(r), r.sampled_at ? age(r.sampled_at, new Date(d.at)) : "at the tick"]))) : quiet("No metric was looked at.")),
    stage("Proposed", (d.proposals || []).length ? table("Proposals", SAID, d.proposals.map((p) => row(SAID, [p.policy, said(p), [p.error || p.reason, p.prints && el("pre", {}, p.prints.join("\n"))]]))) : quiet("No policy was asked: somebody, or the description, chose the size.")),
    stage("Limited", clamps.length ? el("ul", {}, clamps.map((c) => el("li", {}, c))) : quiet("No limit applied.")),
    stage("Decided", el("p", { class: "big" }, summary(d), d.held ? [" ", badge("held")] : null), reasons.length > 0 && el("ul", {}, reasons.map((r) => el("li", {}, r)))),
    cost(d, known),
    (d.shadows || []).length > 0 && stage("Beside it", table("Shadow policies", SHADE, d.shadows.map((s) => row(SHADE, [s.policy, `${s.from} → ${s.to}`, s.proposal.error || s.proposal.reason])))),
    stage("Planned", (e.plan || []).length ? el("ul", { class: "changes" }, e.plan.map((p) => el("li", {}, el("code", {}, p)))) : quiet("No node set changed.")),
    stage("Done", el("p", { class: /failed/.test(e.result || "") ? "bad" : null }, e.result || "nothing to do"), (e.steps || []).length > 0 && el("ul", { class: "steps" }, e.steps.map(step))));
};

// explain opens the dialog of a decision, stored or just made.
export const explain = (id, { decision, known, closed } = {}) => dialog(id ? `Decision ${id}` : "The last tick", async (body, d) => {
  const of = (e) => [el("p", { class: "quiet" }, `${e.decision.application} / ${e.decision.group}, `, when(e.decision.at), ` (${age(e.decision.at)} ago)`), explanation(e, known)];
  if (!id) { say(body, of({ decision, result: "nothing to do" })); return; }
  say(body, quiet("Loading…"));
  try { say(body, of(await get(path("decisions", id)))); } catch (e) { say(body, failure(e)); }
  d.scrollTop = 0;
}, { wide: true, closed });
