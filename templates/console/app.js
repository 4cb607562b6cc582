// The console's frame: who is there, which page is shown, whether scalerd answers.
import { Problem, get, listen, login, logout } from "./client.js";
import { banner, button, el, failure, link, say, set } from "./ui.js";
import { fleetPage } from "./fleet.js";
import { methods } from "./client.js";

const $ = (id) => document.getElementById(id);
const main = $("main");

const session = { who: null, may: () => false };
const roles = ["viewer", "operator", "admin"];

let leave = new AbortController();
let signingIn = false;

listen((status) => {
  const state = $("link");
  state.className = "link " + (status === 0 ? "bad" : "good");
  set(state, status === 0 ? "no answer" : session.who ? "live" : "");
  if (status === 401 && session.who && !signingIn) signIn("Your session has ended. Sign in to go on.");
});

// Pages beside the first are loaded when they are needed; some need a role.
const pages = [
  [/^$/, () => fleetPage],
  [/^submit(?:\/([^/]+))?$/, async () => (await import("./describe.js")).describePage],
  [/^decisions$/, async () => (await import("./decisions.js")).decisionsPage],
  [/^access$/, async () => (await import("./access.js")).accessPage, "admin"],
  [/^audit$/, async () => (await import("./audit.js")).auditPage, "admin"],
  [/^a\/([^/]+)$/, async () => (await import("./application.js")).applicationPage],
  [/^a\/([^/]+)\/g\/([^/]+)(?:\/d\/(\d+))?$/, async () => (await import("./group.js")).groupPage],
];

let shown = null;
const show = async () => {
  if (!session.who) return;
  const hash = location.hash.replace(/^#\/?/, "");
  for (const a of $("nav").children) {
    const there = a.getAttribute("href").replace(/^#\/?/, "");
    const here = there === "" ? hash === "" || hash.startsWith("a/") : hash.startsWith(there);
    if (here) a.setAttribute("aria-current", "page"); else a.removeAttribute("aria-current");
  }
  // A decision is shown over its group's page, which stays.
  const place = hash.replace(/\/d\/\d+$/, "");
  if (place === shown) {
    window.dispatchEvent(new CustomEvent("decision", { detail: (hash.match(/\/d\/(\d+)$/) || [])[1] }));
    return;
  }
  const first = shown === null;
  shown = place;
  for (const d of document.querySelectorAll("dialog")) d.close();
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const found = pages.map(([pattern, load, role]) => [hash.match(pattern), load, role]).find(([m]) => m);
  try {
    if (!found) throw new Problem(404, { detail: "there is no page of this address" });
    const role = found[2];
    if (role && !session.may(role)) throw new Problem(403, { detail: `${session.who.name} has the role ${session.who.role}, and this page needs the role ${role}.` });
    const page = await found[1]();
    if (signal.aborted) return;
    const root = el("div", { class: "page" });
    const title = page(root, { signal, session, args: found[0].slice(1).map((a) => a && decodeURIComponent(a)) });
    document.title = (title ? title + " · " : "") + "scalerd";
    say(main, root);
    scrollTo(0, 0);
    if (!first) main.focus({ preventScroll: true }); // so that a reader begins there
  } catch (e) {
    if (!signal.aborted) say(main, e.status === 403 ? el("section", { class: "card" }, el("h1", {}, "Not allowed"), el("p", {}, e.message), link("#/", "Back to the fleet")) : failure(e));
  }
};

const greet = () => {
  signingIn = false;
  const { who } = session;
  session.may = (role) => roles.indexOf(who.role) >= roles.indexOf(role);
  $("nav").hidden = false;
  for (const a of $("nav").children) a.hidden = Boolean(a.dataset.role) && !session.may(a.dataset.role);
  $("who").hidden = false;
  say($("who"), el("span", { class: "name", title: "signed in by " + who.how }, who.name, el("span", { class: "role" }, who.role)),
    ["session", "oidc"].includes(who.how) && button("Sign out", async () => { await logout(); session.who = null; signIn(""); }, { class: "plain" }));
  shown = null;
  show();
};

const signIn = (why) => {
  signingIn = true;
  session.who = null;
  leave.abort();
  $("nav").hidden = $("who").hidden = true;
  document.title = "Sign in · scalerd";
  const wrong = el("div", { "aria-live": "assertive" }, why && banner("calm", why));
  const name = el("input", { id: "name", name: "name", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = el("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true });
  const enter = el("button", { type: "submit", class: "main" }, "Sign in");
  const form = el("form", { method: "post", action: "/login", class: "card signin", onsubmit: async (e) => {
    e.preventDefault();
    enter.disabled = true;
    try {
      await login(name.value, password.value);
      session.who = await get("/v1/me");
      greet();
    } catch (problem) {
      say(wrong, banner("bad", problem.status === 0 || !problem.status ? "scalerd does not answer." : problem.message));
      password.value = "";
      password.focus();
    } finally { enter.disabled = false; }
  } },
    el("h1", {}, "Sign in"), wrong,
    el("label", { for: "name" }, "Name"), name, el("label", { for: "password" }, "Password"), password, enter,
    el("p", { class: "quiet small" }, "Users are made on scalerd's machine: ", el("code", {}, "scalerctl users add NAME --role operator"), ", or by an admin here."));
  say(main, form);
  name.focus();
  const next = "/" + location.hash;
  const others = el("p", { class: "buttons" });
  enter.after(others);
  methods().then((list) => say(others, list.map((m) => el("a", { href: m.href + "?" + new URLSearchParams({ next }) }, m.label))), () => {});
};

$("skip").addEventListener("click", (e) => { e.preventDefault(); main.focus(); });
addEventListener("hashchange", show);

try {
  session.who = await get("/v1/me");
  greet();
} catch (e) {
  if (e.status === 401) signIn("");
  else {
    say(main, failure(e), button("Try again", () => location.reload(), { class: "main" }));
  }
}

