// The log of decisions of all applications, with search.
import { all, get, path } from "./client.js";
import { button, count, el, failure, later, link, quiet, route, row, say, set, table, when } from "./ui.js";
import { summary } from "./explain.js";

const HEADS = ["When", "Group", "Decision", "Why", "Explain"];
const PAGE = 200;

export const decisionsPage = (root, { signal }) => {
  const search = el("input", { type: "search", id: "search", placeholder: "words of a decision: a group, a policy, a reason, a node", autocomplete: "off", spellcheck: "false" });
  const which = el("select", { id: "which" }, el("option", { value: "" }, "All applications"));
  const kind = el("select", { id: "kind" }, Object.entries({ "": "All decisions", out: "Scale-out", in: "Scale-in", drop: "Drops", held: "Held" }).map(([value, text]) => el("option", { value }, text)));
  const found = el("p", { class: "quiet", role: "status" });
  const list = el("div", {});
  const more = button("Load older ones", () => load(), { hidden: true });
  root.append(el("div", { class: "title" }, el("h1", {}, "Decisions")),
    el("div", { class: "tools" }, el("label", { for: "search" }, "Search"), search, el("label", { for: "which", class: "unseen" }, "Application"), which, el("label", { for: "kind", class: "unseen" }, "Kind"), kind, found), list, el("p", {}, more));
  const sources = new Map();
  const KINDS = { "": () => true, out: (d) => d.to > d.from, in: (d) => d.to < d.from, drop: (d) => (d.drop || []).length, held: (d) => d.held };
  const text = (d) => [d.application, d.group, summary(d), ...(d.reasons || []), ...(d.clamps || []), ...(d.drop || []), ...(d.proposals || []).flatMap((p) => [p.policy, p.reason, p.error || ""])].join(" ").toLowerCase();
  const draw = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const items = [...sources.values()].flatMap((s) => s.items).sort((a, b) => b.id - a.id);
    const fits = items.filter((d) => (!which.value || d.application === which.value) && KINDS[kind.value](d) && words.every((w) => d.text.includes(w)));
    set(found, `${count(fits.length, "decision")} of the newest ${items.length}`);
    say(list, fits.length ? table("Decisions", HEADS, fits.slice(0, 500).map((d) => row(HEADS, [when(d.at), link(route("a", d.application, "g", d.group), `${d.application} / ${d.group}`), summary(d), (d.reasons || [])[0] || "", link(route("a", d.application, "g", d.group, "d", d.id), `Explain ${d.id}`)])), "decided") : quiet(items.length ? "No decision fits." : "Nothing was decided yet."));
    more.hidden = ![...sources.values()].some((s) => s.token !== undefined);
  };
  const read = async (app, s) => {
    const page = await get(path("applications", app, "decisions"), { limit: PAGE, page_token: s.token }, { signal });
    for (const d of page.items || []) { d.text = text(d); s.items.push(d); }
    s.token = page.next_page_token;
  };
  // load reads a page of the applications that have more, or of all at first.
  const load = async () => {
    more.disabled = true;
    try {
      await Promise.all([...sources].filter(([, s]) => s.token !== undefined).map(([app, s]) => read(app, s)));
      draw();
    } catch (e) { if (e.name !== "AbortError") say(list, failure(e)); }
    more.disabled = false;
  };
  search.addEventListener("input", later(draw, 120));
  which.addEventListener("change", draw);
  kind.addEventListener("change", draw);
  say(list, quiet("Loading…"));
  (async () => {
    try {
      for (const a of await all("/v1/applications", { brief: true }, { signal })) {
        sources.set(a.name, { items: [], token: "" });
        which.append(el("option", { value: a.name }, a.name));
      }
      await load();
    } catch (e) { if (e.name !== "AbortError") say(list, failure(e)); }
  })();
  return "Decisions";
};
