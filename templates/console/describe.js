// A description: typed or pasted, checked as it changes with its mistakes at their
// places, planned and submitted.
import { get, path, post } from "./client.js";
import { banner, button, count, el, failure, later, link, quiet, route, say } from "./ui.js";
import { applicationPlan } from "./plan.js";
import { submit } from "./actions.js";

const EXAMPLE = `name: shop
interval: 15s
queries:
  requests: sum(rate(apache_accesses_total{group="web"}[1m]))
groups:
  - name: web
    cloud: local
    min: 1
    max: 8
    initial: 2
    local: {slots: 4, service_time: 100ms, balancer: 127.0.0.1:18080}
    policies:
      - target: {query: requests, kind: total, value: 24}
`;

// editor is a text field with numbered lines, of which those with mistakes are marked.
const editor = (onchange) => {
  const text = el("textarea", { id: "description", spellcheck: "false", autocapitalize: "none", autocomplete: "off", wrap: "off", "aria-describedby": "verdict", rows: 24 });
  const behind = el("div", { class: "behind", "aria-hidden": "true" });
  const numbers = el("div", { class: "numbers", "aria-hidden": "true" });
  let mistakes = [];
  const draw = () => {
    const lines = text.value.split("\n");
    const at = new Map();
    for (const m of mistakes) if (!at.has(m.line)) at.set(m.line, m);
    say(numbers, lines.map((_, i) => el("div", { class: at.has(i + 1) ? "wrong" : null }, String(i + 1))));
    say(behind, lines.map((l, i) => {
      const m = at.get(i + 1);
      if (!m) return el("div", {}, l || "\u200b");
      const from = Math.max(0, m.column - 1), end = l.slice(from).search(/[\s:,\]}]|$/) + from;
      return el("div", { class: "wrong" }, l.slice(0, from), el("span", { class: "place" }, l.slice(from, Math.max(end, from + 1)) || " "), l.slice(Math.max(end, from + 1)), el("span", { class: "inline" }, "  " + m.what));
    }));
    scroll();
  };
  const scroll = () => { behind.scrollTop = numbers.scrollTop = text.scrollTop; behind.scrollLeft = text.scrollLeft; };
  text.addEventListener("scroll", scroll);
  text.addEventListener("input", () => { mistakes = []; draw(); onchange(); });
  return { element: el("div", { class: "editor" }, numbers, el("div", { class: "field" }, behind, text)), text,
    value: (v) => { text.value = v; mistakes = []; draw(); },
    mark: (list) => { mistakes = list; draw(); if (list.length) text.setAttribute("aria-invalid", "true"); else text.removeAttribute("aria-invalid"); },
    go: (m) => {
      const lines = text.value.split("\n");
      const at = lines.slice(0, m.line - 1).reduce((n, l) => n + l.length + 1, 0) + m.column - 1;
      text.focus();
      text.setSelectionRange(at, at + Math.max(1, (lines[m.line - 1] || "").slice(m.column - 1).search(/[\s:,\]}]|$/)));
      text.scrollTop = Math.max(0, (m.line - 6) * parseFloat(getComputedStyle(text).lineHeight));
      scroll();
    } };
};

export const describePage = (root, { signal, session, args: [app] }) => {
  let etag = null, archive = null, params = {}, latest = 0;
  const name = el("input", { id: "file", value: (app || "application") + ".yaml", autocomplete: "off", spellcheck: "false" });
  const verdict = el("div", { id: "verdict", "aria-live": "polite" });
  const plans = el("div", { "aria-live": "polite" });
  const values = el("textarea", { id: "params", rows: 3, spellcheck: "false", placeholder: "image=ami-0123456789abcdef0", "aria-describedby": "params-say" });
  const planned = button("Plan", () => plan(), { disabled: true });
  const go = button(app ? "Update…" : "Submit…", () => submit(description(), { etag, done: version }), { class: "main", disabled: true, id: "submit" });
  // version is what an update changes: after one, the next is of another version.
  const version = async () => { if (etag) try { etag = (await get(path("applications", app, "description"), {}, { signal, whole: true })).etag; } catch { /* the update says it */ } };
  const check = later(() => validate(), 350);
  const field = editor(() => { archive = null; go.disabled = planned.disabled = true; say(plans); check(); });
  const file = el("input", { type: "file", id: "upload", accept: ".yaml,.yml,.csar,.zip,.json", onchange: async () => {
    const f = file.files[0];
    if (!f) return;
    name.value = f.name;
    const bytes = new Uint8Array(await f.arrayBuffer());
    if (bytes[0] === 0x50 && bytes[1] === 0x4b) {
      let binary = "";
      for (let i = 0; i < bytes.length; i += 8192) binary += String.fromCharCode(...bytes.subarray(i, i + 8192));
      field.value(`# ${f.name}: an archive of ${count(bytes.length, "byte")}`);
      archive = btoa(binary);
    } else { archive = null; field.value(new TextDecoder().decode(bytes)); }
    validate();
  } });
  const description = () => {
    const given = { ...params };
    for (const line of values.value.split("\n")) {
      const [, k, v] = line.match(/^\s*([^=]+?)\s*=\s*(.*)$/) || [];
      if (k && !(k in params && (typeof params[k] === "string" ? params[k] : JSON.stringify(params[k])) === v)) given[k] = v;
    }
    const d = { file: name.value || "application.yaml" };
    if (archive) d.archive = archive; else d.text = field.text.value;
    if (Object.keys(given).length) d.params = given;
    return d;
  };
  const show = (e) => {
    const mistakes = e.errors.map((x) => ({ line: 1, column: 1, what: x.message, ...(x.value && x.value.line ? x.value : {}) }));
    field.mark(mistakes);
    say(verdict, banner("bad", el("strong", {}, mistakes.length ? count(mistakes.length, "mistake") + ". " : ""), mistakes.length ? "" : e.message,
      mistakes.length > 0 && el("ul", { class: "mistakes" }, mistakes.map((m) => el("li", {}, el("button", { type: "button", class: "plain", onclick: () => field.go(m) }, `Line ${m.line}, column ${m.column}`), " ", m.path && el("code", {}, m.path), m.path ? " " : "", m.what, m.fix ? el("span", { class: "note" }, `; ${m.fix}`) : "")))));
  };
  const validate = async () => {
    const mine = ++latest;
    go.disabled = planned.disabled = true;
    if (!field.text.value.trim()) { field.mark([]); say(verdict, quiet("Paste a description, or choose a file.")); return; }
    try {
      const v = await post("/v1/validate", { body: description(), signal });
      if (mine !== latest) return;
      field.mark([]);
      say(verdict, banner("good", el("strong", {}, "Valid. "), `${v.application} with ${count(v.groups.length, "group")}: ${v.groups.join(", ")}.`), (v.warnings || []).map((w) => banner("warn", w)));
      if (app && v.application !== app) say(verdict, banner("warn", `This describes ${v.application}, and not ${app}: it would be another application.`));
      go.disabled = planned.disabled = !session.may("operator");
      etag = v.application === app ? etag : null;
    } catch (e) {
      if (mine !== latest || e.name === "AbortError") return;
      if (e.status === 422) show(e); else say(verdict, failure(e));
    }
  };
  const plan = async () => {
    planned.disabled = true;
    say(plans, quiet("Terraform plans…"));
    try { say(plans, applicationPlan(await post("/v1/plan", { body: description(), signal }))); } catch (e) { if (e.status === 422) { say(plans); show(e); } else say(plans, failure(e)); }
    planned.disabled = false;
  };
  root.append(el("div", { class: "title" }, app && el("p", { class: "crumbs" }, link("#/", "Fleet"), " / ", link(route("a", app), app)), el("h1", {}, app ? `Description of ${app}` : "Submit a description")),
    el("div", { class: "describe" }, el("section", { class: "card" },
      el("div", { class: "tools" }, el("label", { for: "file" }, "File"), name, el("label", { for: "upload", class: "unseen" }, "Choose a file"), file, !app && button("Example", () => { field.value(EXAMPLE); name.value = "shop.yaml"; validate(); }, { class: "plain" })),
      el("label", { for: "description" }, "Description ", el("span", { class: "note" }, "YAML, scalerd's own or a TOSCA template")), field.element,
      el("details", {}, el("summary", {}, "Inputs of a TOSCA template"), el("label", { for: "params", class: "unseen" }, "Inputs"), values, el("p", { class: "quiet small", id: "params-say" }, "One a line: name=value"))),
    el("section", { class: "card" }, el("h2", {}, "Check"), verdict, el("p", { class: "buttons" }, planned, go), plans)));
  values.addEventListener("input", check);
  if (app) {
    say(verdict, quiet("Loading…"));
    get(path("applications", app, "description"), {}, { signal, whole: true }).then(({ body, etag: tag }) => {
      etag = tag;
      params = body.params || {};
      name.value = body.file || name.value;
      if (body.archive) { field.value("# it was submitted as an archive; choose another file to replace it"); archive = body.archive; } else field.value(body.text || "");
      values.value = Object.entries(params).map(([k, v]) => `${k}=${typeof v === "string" ? v : JSON.stringify(v)}`).join("\n");
      validate();
    }).catch((e) => say(verdict, failure(e)));
  } else { field.value(""); validate(); }
  return app ? `Description of ${app}` : "Submit";
};
