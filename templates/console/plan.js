// What a plan would do, and how an operation goes: shown before and after a
// confirmation.
import { get, path, watch } from "./client.js";
import { badge, banner, count, el, money, nanos, number, quiet, say, setBadge, signed, when } from "./ui.js";

const SIGNS = { create: "+", delete: "−", update: "~", replace: "±" };
const WORDS = { create: "create", delete: "destroy", update: "change in place", replace: "replace" };

const change = (c) => el("li", { class: "change " + c.action }, el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[c.action] || "•"),
  el("span", { class: "unseen" }, (WORDS[c.action] || c.action) + " "), el("code", {}, c.address));

// changes lists Terraform's changes; a long list is cut until it is asked for.
const changes = (list) => {
  const shown = 40;
  const ul = el("ul", { class: "changes" }, list.slice(0, shown).map(change));
  if (list.length <= shown) return ul;
  const more = el("button", { type: "button", class: "plain", onclick: () => { ul.append(...list.slice(shown).map(change)); more.remove(); } }, `Show all ${list.length} changes`);
  return [ul, more];
};

const sums = (list) => {
  const by = {};
  for (const c of list) by[c.action] = (by[c.action] || 0) + 1;
  const parts = Object.keys(WORDS).filter((a) => by[a]).map((a) => `${by[a]} to ${WORDS[a]}`);
  return parts.length ? parts.join(", ") : "no change";
};

// groupPlan shows the plan of one group; perNode is what one node costs an hour.
export const groupPlan = (p, { cost } = {}) => {
  const list = p.changes || [];
  const delta = cost && p.from !== p.to ? (p.to - p.from) * cost.per_node : null;
  return el("section", { class: "plan" },
    el("h3", {}, p.name, " ", el("span", { class: "note" }, p.removed ? "is removed" : p.from === p.to ? count(p.to, "node") : `${p.from} → ${count(p.to, "node")}`)),
    el("p", { class: "sum" }, sums(list), p.shards ? ` in ${count(p.shards, "root module")}` : ""),
    p.cost && el("p", {}, `Cost: ${money(p.cost.before_per_hour)} → ${money(p.cost.after_per_hour, p.cost.currency)} an hour`),
    delta !== null && el("p", {}, `Cost: ${signed(delta, (v) => money(v, cost.currency))} an hour`),
    list.length > 0 && changes(list), (p.notes || []).map((n) => quiet(n)));
};

// applicationPlan shows the plan of a description.
export const applicationPlan = (p) => el("div", { class: "plans" },
  el("p", {}, p.new ? `${p.application} is a new application.` : `${p.application} runs; this is what would change.`),
  (p.groups || []).map((g) => groupPlan(g)));

// follow shows an operation until its end: Terraform's lines as they come.
export const follow = (parent, op, signal) => {
  const mark = badge(op.status);
  const lines = el("div", { class: "log", role: "log", "aria-live": "polite", "aria-label": "Progress", tabindex: "0" });
  const end = el("div", { "aria-live": "assertive" });
  say(parent, el("p", { class: "running" }, mark, " ", el("strong", {}, op.kind), ` ${op.application}${op.group ? " / " + op.group : ""}`, op.by ? `, asked for by ${op.by}` : "", ", ", when(op.started_at)), lines, end);
  const done = new Promise((resolve) => {
    const stop = watch(op.id, {
      line: (l) => {
        const below = lines.scrollHeight - lines.scrollTop - lines.clientHeight < 30;
        lines.append(el("div", {}, when(l.at, new Date(l.at).toTimeString().slice(0, 8)), " ", el("span", { class: "where" }, l.shard ? `${l.group}/${l.shard}` : l.group), " ", el("span", { class: "phase" }, l.phase), " ", l.message));
        while (lines.children.length > 400) lines.firstChild.remove();
        if (below) lines.scrollTop = lines.scrollHeight;
      },
      changed: (now) => {
        setBadge(mark, now.status);
        if (now.status === "running") return;
        say(end, now.status === "succeeded" ? banner("good", "Done.") : now.status === "superseded" ? banner("calm", "Something newer was asked for, which takes its place.")
          : banner("bad", el("strong", {}, "It failed, and is tried again. "), el("pre", {}, now.error || "")));
        resolve(now);
      },
      lost: async () => {
        try { const now = await get(path("operations", op.id)); setBadge(mark, now.status); resolve(now); } catch (e) { say(end, banner("bad", e.message)); resolve(null); }
      },
    });
    signal.addEventListener("abort", stop);
  });
  return done;
};

// comparison is what shadow policies came to beside those in charge.
export const comparisonRow = (c) => {
  const diff = c.shadow.node_hours - c.active.node_hours;
  return [el("strong", {}, c.policy), number(c.shadow.nodes), number(c.active.nodes),
    `${number(Math.round(c.shadow.node_hours * 100) / 100)} (${signed(Math.round(diff * 100) / 100)})`,
    `${c.shadow.changes} / ${c.active.changes}`, `${nanos(c.shadow.short_ns)} / ${nanos(c.active.short_ns)}`, when(c.since)];
};
