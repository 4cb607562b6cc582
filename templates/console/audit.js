// The audit log: who did what, from where, with which result, and whether it is whole.
import { get, poll } from "./client.js";
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
  el("code", {}, e.action), [e.target || "–", e.detail && el("span", { class: "note detail" }, e.detail)], badge(e.result, TONES[e.result.split(" ")[0]]), number(e.seq)]);

export const auditPage = (root, { signal }) => {
  const chain = el("div", { "aria-live": "polite" }, quiet("The chain is checked…"));
  const search = el("input", { type: "search", id: "search", placeholder: "words: a name, an address, an action, an application", autocomplete: "off", spellcheck: "false" });
  const result = el("select", { id: "result" }, Object.entries({ "": "All results", denied: "Denied", wrong: "Wrong", failed: "Failed" }).map(([value, text]) => el("option", { value }, text)));
  const found = el("p", { class: "quiet", role: "status" });
  const list = el("div", {});
  const more = button("Load older ones", () => older(), { hidden: true });
  let entries = [], token, told = "";
  const draw = () => {
    const text = JSON.stringify([entries.length, (entries[0] || {}).seq, token, search.value, result.value]);
    if (text === told) return;
    told = text;
    set(found, entries.length ? `the newest ${number(entries.length)}${token ? "" : ", all there are"}` : "");
    say(list, entries.length ? table("Entries of the audit log", HEADS, entries.map(entry), "audit") : quiet(search.value || result.value ? "No entry fits." : "Nothing is written yet."));
    more.hidden = !token;
  };
  const page = (after) => get("/v1/audit", { limit: PAGE, search: [search.value.trim(), result.value].filter(Boolean).join(" "), page_token: after }, { signal });
  let asked = 0;
  // newest shows the newest page, unless older ones are being read.
  const newest = async () => {
    if (entries.length > PAGE) return;
    const mine = ++asked;
    const p = await page();
    if (mine !== asked) return; // other words are asked for meanwhile
    entries = p.items || [];
    token = p.next_page_token;
    draw();
  };
  const failed = (e) => { if (e.name !== "AbortError") { told = ""; say(list, failure(e)); } };
  const older = async () => {
    more.disabled = true;
    try {
      const mine = ++asked, p = await page(token);
      if (mine === asked) { entries.push(...(p.items || [])); token = p.next_page_token; draw(); }
    } catch (e) { failed(e); }
    more.disabled = false;
  };
  const again = () => { entries = []; newest().catch(failed); };
  const verify = async () => {
    check.disabled = true;
    try { say(chain, verification(await get("/v1/audit/verification", {}, { signal }))); } catch (e) { if (e.name !== "AbortError") say(chain, failure(e)); }
    check.disabled = false;
  };
  const check = button("Check the chain", verify);
  search.addEventListener("input", later(again, 250));
  result.addEventListener("change", again);
  root.append(el("div", { class: "title" }, el("h1", {}, "Audit log"), el("div", { class: "buttons" }, check)), chain,
    el("div", { class: "tools" }, el("label", { for: "search" }, "Search"), search, el("label", { for: "result", class: "unseen" }, "Result"), result, found), list, el("p", {}, more));
  // What was searched for is not asked for again and again: the whole log may have to be read.
  poll(async () => { if (!(search.value || result.value)) await newest(); }, 5000, signal, failed);
  verify();
  return "Audit log";
};
