// Orders: each is confirmed in a dialog that shows its plan first, and followed there.
import { Problem, groupPath, newKey, path, post, request } from "./client.js";
import { button, count, dialog, el, failure, later, quiet, say } from "./ui.js";
import { applicationPlan, follow, groupPlan } from "./plan.js";

// confirmed is a dialog with a plan above its two buttons. ask() makes the plan anew,
// act() gives the order; what it returns is followed where it is an operation.
const confirmed = ({ title, fields, ask, act, verb, danger, ready = () => true, done, first }) => dialog(title, (body, d) => {
  const ended = new AbortController();
  const plan = el("div", { class: "planned", "aria-live": "polite", "aria-busy": "true" });
  const wrong = el("div", { "aria-live": "assertive" });
  const go = button(verb, null, { class: danger ? "danger" : "main", disabled: true, id: "confirm" });
  let latest = 0, planned = false, key = newKey();
  const check = () => { go.disabled = !planned || !ready(); };
  const refresh = async () => {
    const mine = ++latest;
    planned = false;
    key = newKey(); // it may be another order now
    check();
    plan.setAttribute("aria-busy", "true");
    if (!plan.children.length || first) say(plan, quiet("Terraform plans…"));
    try {
      const shown = await ask(ended.signal);
      if (mine !== latest) return;
      say(plan, shown);
      planned = true;
    } catch (e) {
      if (mine !== latest || e.name === "AbortError") return;
      say(plan, failure(e));
    }
    plan.removeAttribute("aria-busy");
    check();
  };
  go.addEventListener("click", async () => {
    go.disabled = true;
    say(wrong);
    try {
      const op = await act(key);
      if (done) done();
      if (!op || !op.id || !op.kind) { d.close(); return; }
      const progress = el("div", {}), hint = quiet("It goes on when this dialog is closed.");
      say(body, progress, hint, el("p", { class: "buttons" }, button("Close", () => d.close(), { class: "main" })));
      follow(progress, op, ended.signal).then(() => { hint.remove(); if (done) done(); });
    } catch (e) {
      say(wrong, failure(e));
      check();
    }
  });
  d.addEventListener("close", () => ended.abort());
  const given = fields ? fields({ refresh: later(refresh, 300), check }) : null;
  body.append(...[given, plan, wrong, el("p", { class: "buttons" }, button("Cancel", () => d.close()), go)].filter(Boolean));
  refresh();
});

export const scale = (app, g, done) => {
  const size = el("input", { type: "number", id: "size", min: g.min, max: g.max, step: 1, value: g.wanted, required: true, inputmode: "numeric" });
  const wanted = () => {
    const n = Number(size.value);
    if (size.value === "" || !Number.isInteger(n) || n < g.min || n > g.max) throw new Problem(422, { detail: `give a whole number from ${g.min} to ${g.max}` });
    return n;
  };
  return confirmed({
    title: `Scale ${app} / ${g.name}`, verb: "Scale", done,
    fields: ({ refresh }) => {
      size.addEventListener("input", refresh);
      const by = (n) => button(n > 0 ? "+" : "−", () => { size.value = Math.min(g.max, Math.max(g.min, Number(size.value) + n)); refresh(); }, { class: "by", "aria-label": n > 0 ? "One more" : "One less" });
      return el("div", { class: "field" }, el("label", { for: "size" }, "Nodes"), el("div", { class: "stepper" }, by(-1), size, by(1)),
        quiet(`From ${g.min} to ${g.max}; ${count(g.wanted, "node")} wanted now. This sets the size once: policies go on from there.`));
    },
    ask: async (signal) => groupPlan(await post(groupPath(app, g.name, "scale", "plan"), { query: { nodes: wanted() }, signal }), { cost: g.cost }),
    ready: () => size.value !== "" && Number(size.value) !== g.wanted,
    act: (key) => post(groupPath(app, g.name, "scale"), { query: { nodes: wanted() }, key }),
  });
};

export const drop = (app, g, node, done) => {
  const replace = el("input", { type: "radio", name: "drop", id: "replace", value: "replace" });
  const shrink = el("input", { type: "radio", name: "drop", id: "shrink", value: "shrink" });
  const may = g.wanted - 1 >= g.min;
  (may ? shrink : replace).checked = true;
  shrink.disabled = !may;
  return confirmed({
    title: `Drop ${node}`, verb: "Drop the node", danger: true, done,
    fields: ({ refresh }) => {
      replace.addEventListener("change", refresh);
      shrink.addEventListener("change", refresh);
      return el("fieldset", {}, el("legend", {}, "Afterwards"),
        el("label", { class: "choice" }, shrink, `the group is smaller: ${count(Math.max(0, g.wanted - 1), "node")}`, !may && el("span", { class: "note" }, ` min is ${g.min}`)),
        el("label", { class: "choice" }, replace, "another node takes its place"));
    },
    ask: async (signal) => groupPlan(await post(path("applications", app, "drop", "plan"), { query: { node, replace: replace.checked }, signal }), { cost: g.cost }),
    act: (key) => post(path("applications", app, "drop"), { query: { node, replace: replace.checked }, key }),
  });
};

// pause pauses or resumes a group, or with an empty name an application.
export const pause = (app, group, paused, facts, done) => {
  const what = group ? `${app} / ${group}` : app;
  const where = group ? groupPath(app, group, paused ? "pause" : "resume") : path("applications", app, paused ? "pause" : "resume");
  return confirmed({
    title: `${paused ? "Pause" : "Resume"} ${what}`, verb: paused ? "Pause" : "Resume", done,
    ask: async () => el("section", { class: "plan" }, el("h3", {}, "Plan"), el("p", { class: "sum" }, "no change of nodes"),
      paused ? el("ul", {}, el("li", {}, "Decisions stop: no policy changes the size."), el("li", {}, `The ${count(facts.nodes, "node")} wanted now stay, and are still repaired.`), el("li", {}, "Scaling and dropping by hand still work."))
        : el("ul", {}, el("li", {}, `Policies decide again at the next tick, from ${count(facts.nodes, "node")}.`))),
    act: (key) => post(where, { key }),
  });
};

export const destroy = (app, nodes, done) => {
  const name = el("input", { id: "sure", autocomplete: "off", spellcheck: "false", autocapitalize: "none" });
  return confirmed({
    title: `Destroy ${app}`, verb: "Destroy everything", danger: true, done,
    fields: ({ check }) => { name.addEventListener("input", check); return el("div", { class: "field" }, el("label", { for: "sure" }, `To go on, type ${app}`), name); },
    ask: async () => el("section", { class: "plan" }, el("h3", {}, "Plan"), el("p", { class: "sum" }, `${count(nodes.length, "node")} to destroy, with all the application has`),
      el("ul", { class: "changes" }, nodes.map((n) => el("li", { class: "change delete" }, el("span", { class: "sign", "aria-hidden": "true" }, "−"), el("code", {}, n.name))))),
    ready: () => name.value === app,
    act: () => request("DELETE", path("applications", app)),
  });
};

// submit starts or updates an application: what was read with the etag is changed, or a
// new one is made.
export const submit = (description, { etag, done } = {}) => confirmed({
  title: etag ? "Update the application" : "Submit the description", verb: etag ? "Update" : "Submit", first: true, done,
  ask: async (signal) => applicationPlan(await post("/v1/plan", { body: description, signal })),
  act: (key) => post("/v1/applications", { body: description, headers: etag ? { "If-Match": etag } : {}, key }),
});
