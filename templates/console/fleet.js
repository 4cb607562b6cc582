// The fleet: all groups of all applications, from one call, in one table.
import { get, poll } from "./client.js";
import { age, badge, count, el, failure, link, money, number, route, say, set, setBadge, state, total, when } from "./ui.js";

// problems are what somebody should look at, the worst first.
export const problems = (apps) => {
  const found = [];
  for (const a of apps) {
    if (a.problem) found.push([route("a", a.name), a.name, a.problem]);
    for (const g of a.groups || []) {
      const what = g.problem || (g.policy_problems || [])[0] || (g.breaker ? `steps fail in a row: the breaker is ${g.breaker}` : "") || (g.lost ? `${count(g.lost, "node")} lost` : "");
      if (what) found.push([route("a", a.name, "g", g.name), `${a.name} / ${g.name}`, what]);
    }
  }
  return found;
};

export const alarm = (found) => {
  if (!found.length) return null;
  return el("div", { class: "banner bad" },
    el("strong", {}, count(found.length, "problem")),
    el("ul", {}, found.slice(0, 5).map(([to, name, what]) => el("li", {}, link(to, name), ": ", el("span", { class: "what" }, what.split("\n")[0])))),
    found.length > 5 && el("p", {}, `and ${found.length - 5} more, marked below`));
};

const HEADS = ["Group", "State", "#Wanted", "#Ready", "#On the way", "#Limits", "Cost", "Last tick"];

// groupRow is a row that is made once and then changed, cell by cell.
const groupRow = (app, name) => {
  const cells = HEADS.map((h) => el("td", { class: h.startsWith("#") ? "num" : null, "data-label": h.replace("#", "") }));
  const [first, stateCell, wanted, ready, coming, limits, cost, last] = cells;
  const mark = badge("steady");
  stateCell.append(mark);
  first.append(link(route("a", app, "g", name), name));
  const meter = el("span", { class: "fill", "aria-hidden": "true" });
  const have = el("span", {});
  ready.append(meter, have);
  let decided = null;
  return {
    element: el("tr", {}, cells),
    update: (g) => {
      setBadge(mark, state(g));
      set(wanted, number(g.wanted));
      set(have, number(g.ready));
      meter.style.setProperty("--share", g.wanted ? Math.min(1, g.ready / g.wanted) : g.ready ? 1 : 0);
      const parts = [["creating", g.creating], ["booting", g.booting], ["draining", g.draining], ["lost", g.lost]].filter(([, n]) => n);
      set(coming, parts.map(([what, n]) => `${n} ${what}`).join(", ") || "–");
      set(limits, `${g.min}–${g.max}`);
      set(cost, g.cost ? `${money(g.cost.per_hour, g.cost.currency)}/h` : "–");
      const d = g.decision;
      const stamp = d ? d.at : "";
      if (stamp !== decided) {
        decided = stamp;
        say(last, d ? [el("span", { class: "reason" }, d.from === d.to ? `stays at ${d.to}` : `${d.from} → ${d.to}`), " ", when(d.at, age(d.at) + " ago")] : "–");
      } else if (d) set(last.querySelector("time"), age(d.at) + " ago");
    },
  };
};

// groupTable is a table of the groups of one or of all applications.
export const groupTable = (named) => {
  const body = el("tbody", {});
  const rows = new Map();
  const heads = el("tr", {}, HEADS.map((h) => el("th", { scope: "col", class: h.startsWith("#") ? "num" : null }, h.replace("#", ""))));
  const element = el("div", { class: "scroll groups", role: "region", "aria-label": "Node groups", tabindex: "0" },
    el("table", {}, el("caption", { class: "unseen" }, "Node groups and what they do now"), el("thead", {}, heads), body));
  const update = (apps, wanted) => {
    const order = [];
    for (const a of apps) {
      const groups = (a.groups || []).filter((g) => wanted(a, g));
      if (named && (groups.length || wanted(a, null))) {
        const key = a.name + "/";
        if (!rows.has(key)) {
          const title = el("th", { scope: "rowgroup", colspan: HEADS.length }, link(route("a", a.name), a.name), " ", el("span", { class: "note" }));
          rows.set(key, { element: el("tr", { class: "app" }, title), update: () => {}, note: title.querySelector(".note") });
        }
        set(rows.get(key).note, a.destroying ? "being destroyed" : a.paused ? "paused" : a.problem ? "has a problem" : (a.groups || []).length ? "" : "no groups");
        order.push(rows.get(key).element);
      }
      for (const g of groups) {
        const key = a.name + "/" + g.name;
        if (!rows.has(key)) rows.set(key, groupRow(a.name, g.name));
        rows.get(key).update({ ...g, paused: g.paused || a.paused });
        order.push(rows.get(key).element);
      }
    }
    if (order.length !== body.children.length || order.some((e, i) => body.children[i] !== e)) body.replaceChildren(...order);
    return order.length;
  };
  return { element, update };
};

const SHOW = { all: () => true, problems: (g) => g.problem || g.lost || g.breaker || (g.policy_problems || []).length, scaling: (g) => state(g) === "scaling", paused: (g) => g.paused };

export const fleetPage = (root, { signal, session }) => {
  let apps = [];
  const totals = el("dl", { class: "totals" });
  const notice = el("div", { "aria-live": "polite" });
  const filter = el("input", { type: "search", id: "filter", placeholder: "application or group", autocomplete: "off", spellcheck: "false" });
  const only = el("select", { id: "only" }, Object.entries({ all: "All groups", problems: "With problems", scaling: "Scaling", paused: "Paused" }).map(([value, text]) => el("option", { value }, text)));
  const found = el("p", { class: "quiet", role: "status" });
  const groups = groupTable(true);
  const list = el("div", {}, groups.element);
  const draw = () => {
    const text = filter.value.trim().toLowerCase();
    const kind = SHOW[only.value];
    const narrowed = text || only.value !== "all";
    let n = 0;
    const wanted = (a, g) => {
      if (!g) return !narrowed || (only.value === "all" && a.name.toLowerCase().includes(text));
      const fits = (!text || `${a.name}/${g.name}`.toLowerCase().includes(text)) && kind({ ...g, paused: g.paused || a.paused });
      if (fits) n++;
      return fits;
    };
    const rows = groups.update(apps, wanted);
    set(found, apps.length ? (narrowed ? `${count(n, "group")} of ${apps.reduce((s, a) => s + (a.groups || []).length, 0)}` : "") : "");
    list.hidden = !rows;
  };
  filter.addEventListener("input", draw);
  only.addEventListener("change", draw);

  let told = "";
  const update = () => {
    const all = apps.flatMap((a) => a.groups || []);
    const sum = (f) => all.reduce((s, g) => s + (f(g) || 0), 0);
    const cost = {};
    const month = {};
    for (const g of all) if (g.cost) { cost[g.cost.currency] = (cost[g.cost.currency] || 0) + g.cost.per_hour; month[g.cost.currency] = (month[g.cost.currency] || 0) + g.cost.month; }
    const sums = (by) => Object.entries(by).map(([c, v]) => total(v, c)).join(" + ");
    say(totals, [["Applications", number(apps.length)], ["Groups", number(all.length)], ["Nodes ready", `${number(sum((g) => g.ready))} of ${number(sum((g) => g.wanted))}`],
      ["On the way", number(sum((g) => g.creating + g.booting))], Object.keys(cost).length && ["Cost now", sums(cost) + "/h"], Object.keys(month).length && ["This month", sums(month)]]
      .filter(Boolean).map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v))));
    const bad = problems(apps);
    const text = JSON.stringify(bad);
    if (text !== told) { told = text; say(notice, alarm(bad)); }
    draw();
  };
  const empty = el("div", { class: "card empty", hidden: true }, el("h2", {}, "No application runs yet"),
    el("p", {}, "An application is described in a file: its node groups, their limits, and what their size follows."),
    session.may("operator") && el("p", {}, link("#/submit", "Submit a description")));
  root.append(el("div", { class: "title" }, el("h1", {}, "Fleet"), totals), notice,
    el("div", { class: "tools" }, el("label", { for: "filter" }, "Filter"), filter, el("label", { for: "only", class: "unseen" }, "Which groups"), only, found), empty, list);
  root.setAttribute("aria-busy", "true");
  poll(async () => {
    const next = [];
    let token;
    do {
      const page = await get("/v1/applications", { limit: 1000, brief: true, page_token: token }, { signal });
      next.push(...(page.items || []));
      token = page.next_page_token;
    } while (token);
    apps = next;
    empty.hidden = apps.length > 0;
    root.querySelector(".tools").hidden = !apps.length;
    root.removeAttribute("aria-busy");
    update();
  }, 4000, signal, (e) => { told = ""; say(notice, failure(e)); });
  return "Fleet";
};
