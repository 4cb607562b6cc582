// One group: what it does now, how it came to it, and what may be done about it.
import { Problem, all, get, groupPath, path, poll } from "./client.js";
import { age, badge, banner, button, card, count, el, failure, given, link, local, money, nanos, number, quiet, route, row, say, set, setBadge, span, state, table, total, when } from "./ui.js";
import { chartsSection } from "./overtime.js";
import { drop, pause, scale } from "./actions.js";
import { optimizerSection } from "./optimizer.js";
import { comparisonRow, follow } from "./plan.js";
import { explain, step, summary } from "./explain.js";

export const groupPage = (root, { signal, session, args: [app, name, decision] }) => {
  let group = null, paused = false;
  const here = route("a", app, "g", name);
  const may = session.may("operator");
  const mark = badge("steady");
  const notice = el("div", { class: "notices" });
  const numbers = el("div", { class: "tiles" });
  let refresh = () => {};
  const act = {
    scale: button("Scale…", () => scale(app, group, () => refresh()), { class: "main" }),
    pause: button("Pause…", () => pause(app, name, !group.paused, { nodes: group.wanted }, () => refresh())),
  };
  root.append(el("div", { class: "title" }, el("p", { class: "crumbs" }, link("#/", "Fleet"), " / ", link(route("a", app), app)),
    el("h1", {}, name, " ", mark), may && el("div", { class: "buttons" }, act.scale, act.pause)), notice, numbers);
  for (const b of Object.values(act)) b.disabled = true;

  const showDecision = (id) => id && explain(id, { known: group && group.cost, closed: () => { if (location.hash.includes("/d/")) history.replaceState(null, "", here); } });
  const opened = (e) => { for (const d of document.querySelectorAll("dialog")) d.close(); showDecision(e.detail); };
  addEventListener("decision", opened, { signal });

  const running = runningSection(root, app, name, signal);
  const charts = chartsSection(root, app, name, signal, (id) => { location.hash = here + "/d/" + id; });
  const optimizer = optimizerSection(root, app, name, signal);
  const nodes = nodesSection(root, app, signal, may && ((node) => drop(app, group, node, () => refresh())));
  const shadows = shadowSection(root);
  const decisions = decisionsSection(root, here);

  let told = "";
  const update = () => {
    const g = group;
    setBadge(mark, state({ ...g, paused: g.paused || paused }));
    for (const b of Object.values(act)) b.disabled = Boolean(g.removing);
    set(act.pause, g.paused ? "Resume…" : "Pause…");
    const notes = [
      g.problem && ["bad", "Degraded", g.problem, given(g.retry_at) && new Date(g.retry_at) > Date.now() ? ` Tried again at ${local(g.retry_at)}.` : ""],
      paused && ["calm", "The application is paused", "No policy changes any of its groups.", ""],
      g.paused && ["calm", "Paused", "Policies do not change the size; nodes stay and are repaired.", ""],
      g.breaker && ["warn", "Breaker", `Steps fail in a row, so the breaker is ${g.breaker}: the group grows by one probing node at a time.`, ""],
      ...(g.policy_problems || []).map((p) => ["warn", "Policy", p, ""]),
      g.decision && g.decision.held && !g.problem && ["warn", "Held", (g.decision.clamps || g.decision.reasons || [])[0] || "A policy can't tell, so the group is not shrunk.", ""],
      g.rollout && ["calm", "Rollout", g.rollout, ""],
      g.repair && ["calm", "Repair", g.repair, ""],
      (g.drift || []).length > 0 && ["warn", "Drift", `${count(g.drift.length, "resource")} changed behind Terraform's back: ${g.drift.map((c) => c.address).slice(0, 3).join(", ")}`, ""],
    ].filter(Boolean);
    const text = JSON.stringify(notes);
    if (text !== told) {
      told = text;
      say(notice, notes.map(([tone, title, what, more]) => banner(tone, el("strong", {}, title + ". "), what.includes("\n") ? el("pre", {}, what) : what, more)));
    }
    const d = g.decision;
    const tile = (label, value, note) => el("div", { class: "tile" }, el("span", { class: "label" }, label), el("span", { class: "value" }, value), el("span", { class: "note" }, note));
    const coming = [["creating", g.creating], ["booting", g.booting], ["draining", g.draining], ["lost", g.lost]].filter(([, n]) => n).map(([what, n]) => `${n} ${what}`).join(", ");
    say(numbers,
      tile("Nodes ready", [number(g.ready), el("small", {}, ` of ${g.wanted} wanted`)], coming || `limits ${g.min} to ${g.max}`),
      g.cost ? tile("Cost now", [money(g.cost.per_hour), el("small", {}, ` ${g.cost.currency}/h`)], `${money(g.cost.per_node, g.cost.currency)} a node`) : null,
      g.cost ? tile("This month", [total(g.cost.month), el("small", {}, ` ${g.cost.currency}`)], `${money(g.cost.month_forecast, g.cost.currency)} at its end` + (g.cost.max_per_month ? `, budget ${money(g.cost.max_per_month)}` : "")) : null,
      g.warmup ? tile("Boot", [nanos(g.warmup.p50_ns)], `9 of 10 within ${nanos(g.warmup.p90_ns)}, of ${count(g.warmup.nodes, "node")}`) : null,
      d ? el("button", { type: "button", class: "tile", onclick: () => (d.id ? (location.hash = here + "/d/" + d.id) : explain(0, { decision: d, known: g.cost })) },
        el("span", { class: "label" }, "Last tick, ", age(d.at), " ago"), el("span", { class: "value text" }, summary(d)), el("span", { class: "note" }, "Explain")) : tile("Last tick", "–", "no tick yet"));
    running.update(g);
    optimizer.update(g);
    shadows.update(g.shadows || []);
  };

  // lately are the decisions, read again when there is a new one, or when a longer time is
  // shown.
  let known = [], most = 0;
  const lately = async () => {
    const read = async (limit) => (await get(path("applications", app, "decisions"), { group: name, brief: true, limit }, { signal })).items || [];
    const more = charts.hours() > 6 ? 1000 : 200;
    const [newest] = known.length ? await read(1) : [];
    if (!known.length || more > most || !newest || newest.id !== known[0].id) { known = await read(more); most = more; }
    return known;
  };
  refresh = poll(async () => {
    const [status, list, made] = await Promise.all([get(path("applications", app), {}, { signal }), all(groupPath(app, name, "nodes"), {}, { signal }), lately()]);
    group = (status.groups || []).find((g) => g.name === name);
    if (!group) throw new Problem(404, { detail: `group ${name} of application ${app} is not there` });
    paused = status.paused;
    nodes.update(list);
    decisions.update(made);
    charts.decided(made);
    update();
  }, 2500, signal, (e) => { told = ""; say(notice, failure(e)); });
  if (decision) showDecision(decision);
  return `${name} of ${app}`;
};

// runningSection shows steps and operations as they go.
const runningSection = (root, app, name, signal) => {
  const steps = el("div", { class: "running", role: "log", "aria-live": "polite", "aria-label": "Running steps" });
  const operations = el("div", {});
  const section = card("Running", steps, operations);
  section.hidden = true;
  root.append(section);
  const followed = new Map(), shown = new Map();
  // plans shows what the running steps have planned and done so far, as the journal has it.
  const plans = async () => {
    const made = await get(path("applications", app, "journal"), { group: name, limit: 2 * shown.size }, { signal });
    for (const s of made.items || []) {
      const item = shown.get(s.shard), text = JSON.stringify(s);
      if (!item || ["done", "failed", "undone"].includes(s.phase) || item.dataset.told === text) continue;
      item.dataset.told = text;
      say(item.lastChild, step(s));
    }
  };
  poll(async () => {
    const page = await get("/v1/operations", { application: app, status: "running", limit: 10 }, { signal });
    for (const op of page.items || []) {
      if ((op.group && op.group !== name) || followed.has(op.id)) continue;
      const box = el("div", { class: "operation" });
      followed.set(op.id, box);
      operations.append(box);
      section.hidden = false;
      follow(box, op, signal).then(() => { setTimeout(() => { box.remove(); followed.delete(op.id); section.hidden = !steps.children.length && !followed.size; }, 15000); });
    }
  }, 3000, signal, () => {});
  return { update: (g) => {
    const now = new Map((g.steps || []).map((s) => [s.shard, s]));
    for (const [shard, item] of shown) if (!now.has(shard)) { item.remove(); shown.delete(shard); }
    for (const [shard, s] of now) {
      if (!shown.has(shard)) {
        const item = el("div", {}, el("strong", {}, shard), " ", el("span", { class: "phase" }), " ", el("span", { class: "what" }), " ", el("span", { class: "note", "aria-live": "off" }), el("ul", { class: "steps", "aria-live": "off" }));
        shown.set(shard, item);
        steps.append(item);
      }
      const [, phase, what, note] = shown.get(shard).children;
      set(phase, s.progress.phase || "begins");
      set(what, s.progress.message || "");
      set(note, `${s.create ? `+${s.create} ` : ""}${s.delete ? `−${s.delete} ` : ""}for ${age(s.started_at)}`);
    }
    section.hidden = !now.size && !followed.size;
    if (now.size) plans().catch(() => { /* the next time */ });
  } };
};

// nodesSection lists the nodes and what the cloud has beside them.
const nodesSection = (root, app, signal, drop) => {
  const heads = ["Node", "State", "#Age", "#Boot", "Address", "Identifier", ...(drop ? ["Drop"] : [])];
  const body = el("tbody", {}), shown = new Map();
  const caption = "Live nodes";
  const list = table(caption, heads, [], "nodes");
  list.querySelector("tbody").replaceWith(body);
  const title = el("h2", {}, "Nodes");
  const none = quiet("No node exists.");
  const orphans = el("div", {});
  root.append(el("section", { class: "card" }, title, list, none, orphans));
  const ORPHANS = ["Resource", "State", "#Found", "Why"];
  poll(async () => {
    try {
      const found = (await get(path("applications", app, "orphans"), {}, { signal }));
      const all = (found.items || found).flatMap((g) => (g.orphans || []).map((o) => [g, o]));
      say(orphans, all.length ? [el("h3", {}, "What the cloud has and no state tells of"), table("Orphans", ORPHANS, all.map(([g, o]) => row(ORPHANS, [[el("code", {}, o.id), el("span", { class: "note" }, ` ${o.type} of ${g.group}`)], badge("orphan"), age(o.since), `${o.verdict}: ${o.why}`])))] : []);
    } catch (e) { if (e.status !== 404) throw e; }
  }, 30000, signal, () => {});
  return { update: (nodes) => {
    const now = new Set(nodes.map((n) => n.name));
    for (const [name, r] of shown) if (!now.has(name)) { r.element.remove(); shown.delete(name); }
    for (const n of nodes) {
      if (!shown.has(n.name)) {
        const mark = badge(n.state);
        const cells = [el("strong", {}, n.name), mark, el("span", {}), el("span", {}), el("span", {}), el("code", {}), ...(drop ? [button("Drop…", () => drop(n.name), { class: "plain", "aria-label": `Drop ${n.name}` })] : [])];
        shown.set(n.name, { element: row(heads, cells), mark, cells });
      }
      const { mark, cells } = shown.get(n.name);
      setBadge(mark, n.state);
      set(cells[2], age(n.created_at));
      if (given(n.created_at)) cells[2].title = utcTitle(n.created_at);
      set(cells[3], given(n.ready_at) && given(n.created_at) ? span((new Date(n.ready_at) - new Date(n.created_at)) / 1000) : "–");
      set(cells[4], [n.public_ip, n.private_ip && n.private_ip + (n.port ? ":" + n.port : "")].filter(Boolean).join(", ") || "–");
      set(cells[5], n.id || "–");
      const notes = [n.zone, n.offering, n.protected && "protected", n.outdated && `outdated: ${n.outdated}`].filter(Boolean).join(", ");
      cells[0].title = notes;
      if (drop && cells[6]) cells[6].disabled = n.state === "draining" || Boolean(n.protected);
    }
    const order = nodes.map((n) => shown.get(n.name).element);
    if (order.some((e, i) => body.children[i] !== e) || order.length !== body.children.length) body.replaceChildren(...order);
    set(title, `Nodes (${nodes.length})`);
    none.hidden = nodes.length > 0;
    list.hidden = !nodes.length;
  } };
};
const utcTitle = (t) => "decided " + new Date(t).toISOString().slice(0, 19).replace("T", " ") + " UTC";

const SHADOWS = ["Policy", "#Would have", "#Has", "#Node-hours", "Changes, its / ours", "Too few, its / ours", "Since"];
const shadowSection = (root) => {
  const box = el("div", {});
  const section = card("Shadow policies", quiet("They are evaluated and not acted on. Beside the policies in charge:"), box);
  section.hidden = true;
  root.append(section);
  let told = "";
  return { update: (list) => {
    section.hidden = !list.length;
    const text = JSON.stringify(list);
    if (text === told) return;
    told = text;
    say(box, list.length ? table("Shadow policies", SHADOWS, list.map((c) => row(SHADOWS, comparisonRow(c)))) : []);
  } };
};

const DECISIONS = ["When", "Decision", "Why", "Explain"];
const decisionsSection = (root, here) => {
  const body = el("div", {});
  root.append(card("Decisions", body, el("p", {}, link("#/decisions", "All decisions, with search"))));
  let told = "";
  return { update: (list) => {
    const text = JSON.stringify(list.slice(0, 12).map((d) => d.id));
    if (text === told) return;
    told = text;
    say(body, list.length ? table("The newest decisions", DECISIONS, list.slice(0, 12).map((d) => row(DECISIONS, [when(d.at), summary(d), (d.reasons || [])[0] || "", link(here + "/d/" + d.id, el("span", {}, `Explain ${d.id}`))])), "decided") : quiet("Nothing was decided yet."));
  } };
};
