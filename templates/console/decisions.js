// The log of decisions of all applications, with search.
import { all, get, pager, poll } from "./client.js";
import { button, count, el, failure, later, link, local, quiet, route, row, say, set, table, when } from "./ui.js";
import { summary } from "./explain.js";

const HEADS = ["When", "Group", "Decision", "Why", "Explain"];
const PAGE = 100;

const decided = (d) => row(HEADS, [when(d.at), link(route("a", d.application, "g", d.group), `${d.application} / ${d.group}`), summary(d), (d.reasons || [])[0] || "",
  link(route("a", d.application, "g", d.group, "d", d.id), `Explain ${d.id}`)]);

export const decisionsPage = (root, { signal }) => {
  const search = el("input", { type: "search", id: "search", placeholder: "group, policy, reason, node", autocomplete: "off", spellcheck: "false" });
  const which = el("select", { id: "which" }, el("option", { value: "" }, "All applications"));
  const kind = el("select", { id: "kind" }, Object.entries({ "": "All decisions", out: "Scale-out", in: "Scale-in", drop: "Drops", held: "Held" }).map(([value, text]) => el("option", { value }, text)));
  const found = el("p", { class: "quiet", role: "status" });
  const list = el("div", {}, quiet("Loading…"));
  const more = button("Load older ones", () => log.older(), { hidden: true });
  let shown = 0, told = "";
  const log = pager((after) => get("/v1/decisions", { limit: PAGE, brief: true, search: search.value.trim(), application: which.value, kind: kind.value, page_token: after }, { signal }), (items, further) => {
    shown = items.length;
    const text = JSON.stringify([shown, (items[0] || {}).id, further, search.value, which.value, kind.value]);
    if (text === told) return;
    told = text;
    set(found, shown ? `${count(shown, "decision")}${further ? `, back to ${local(items[shown - 1].at)}` : ", all there are"}` : "");
    say(list, shown ? table("Decisions", HEADS, items.map(decided), "decided") : quiet(further ? "No decision fits so far." : search.value || which.value || kind.value ? "No decision fits." : "Nothing was decided yet."));
    more.hidden = !further;
  }, (e) => { told = ""; say(list, failure(e)); });
  search.addEventListener("input", later(log.newest, 250));
  which.addEventListener("change", log.newest);
  kind.addEventListener("change", log.newest);
  root.append(el("div", { class: "title" }, el("h1", {}, "Decisions")),
    el("div", { class: "tools" }, el("label", { for: "search" }, "Search"), search, el("label", { for: "which", class: "unseen" }, "Application"), which, el("label", { for: "kind", class: "unseen" }, "Kind"), kind, found), list, el("p", {}, more));
  all("/v1/applications", { brief: true }, { signal }).then((apps) => which.append(...apps.map((a) => el("option", { value: a.name }, a.name)))).catch(() => { /* the list says it */ });
  // New ones appear at the top, unless somebody reads further down.
  poll(async () => { if (shown <= PAGE && !search.value) await log.newest(); }, 5000, signal, () => {});
  return "Decisions";
};
