// The audit log: who did what, from where, with which result, and whether it is whole.
import { get, pager, poll } from "./client.js";
import { badge, banner, button, count, el, failure, later, number, quiet, row, say, set, table, when } from "./ui.js";

const HEADS = ["When", "Who", "Action", "On what", "Result", "#Entry"];
const PAGE = 100;
const TONES = { done: "good", recorded: "calm", denied: "warn", wrong: "calm", failed: "bad" };

// verification says what the check of the chain has found.
const verification = (v) => v.problem
  ? banner("bad", el("strong", {}, "The log is not as it was written. "), v.problem)
  : banner("good", el("strong", {}, "The chain is whole: "), `${count(v.entries, "entry").replace("entrys", "entries")}, ${number(v.first)} to ${number(v.last)}. `,
    el("details", {}, el("summary", {}, "Its head"), el("code", {}, `${v.head.seq}:${v.head.hash}`), el("p", {}, "Kept elsewhere, it proves later that nothing up to here was made anew: scalerctl audit verify --head NUMBER:HASH")),
    v.notes.length > 0 && el("ul", {}, v.notes.map((n) => el("li", {}, n))));

const entry = (e) => row(HEADS, [when(e.time), [el("strong", {}, e.who || "nobody"), el("span", { class: "note" }, " " + [e.how, e.from].filter((x, i, all) => x && x !== all[i - 1]).join(", "))],
  el("code", {}, e.action), e.target || e.detail ? [e.target, e.detail && el("span", { class: "note detail" }, e.detail)] : null, badge(e.result, TONES[e.result.split(" ")[0]]), number(e.seq)]);

export const auditPage = (root, { signal }) => {
  const chain = el("div", { "aria-live": "polite" }, quiet("The chain is checked…"));
  const search = el("input", { type: "search", id: "search", placeholder: "name, address, action, application", autocomplete: "off", spellcheck: "false" });
  const result = el("select", { id: "result" }, Object.entries({ "": "All results", denied: "Denied", wrong: "Wrong", failed: "Failed" }).map(([value, text]) => el("option", { value }, text)));
  const found = el("p", { class: "quiet", role: "status" });
  const list = el("div", {});
  const more = button("Load older ones", () => log.older(), { hidden: true });
  let shown = 0, told = "";
  const log = pager((after) => get("/v1/audit", { limit: PAGE, search: [search.value.trim(), result.value].filter(Boolean).join(" "), page_token: after }, { signal }), (entries, further) => {
    shown = entries.length;
    const text = JSON.stringify([shown, (entries[0] || {}).seq, further, search.value, result.value]);
    if (text === told) return;
    told = text;
    set(found, shown ? `the newest ${number(shown)}${further ? "" : ", all there are"}` : "");
    say(list, shown ? table("Entries of the audit log", HEADS, entries.map(entry), "audit") : quiet(search.value || result.value ? "No entry fits." : "Nothing is written yet."));
    more.hidden = !further;
  }, (e) => { told = ""; say(list, failure(e)); });
  const verify = async () => {
    check.disabled = true;
    try { say(chain, verification(await get("/v1/audit/verification", {}, { signal }))); } catch (e) { if (e.name !== "AbortError") say(chain, failure(e)); }
    check.disabled = false;
  };
  const check = button("Check the chain", verify);
  search.addEventListener("input", later(log.newest, 250));
  result.addEventListener("change", log.newest);
  root.append(el("div", { class: "title" }, el("h1", {}, "Audit log"), el("div", { class: "buttons" }, check)), chain,
    el("div", { class: "tools" }, el("label", { for: "search" }, "Search"), search, el("label", { for: "result", class: "unseen" }, "Result"), result, found), list, el("p", {}, more));
  // What was searched for is not asked for again and again: the whole log may have to be read.
  poll(async () => { if (shown <= PAGE && !search.value && !result.value) await log.newest(); }, 5000, signal, () => {});
  verify();
  return "Audit log";
};
