// Who may use scalerd: its users, and the tokens of machines.
import { all, path, poll, post, request } from "./client.js";
import { ago, badge, banner, button, dialog, el, failure, given, quiet, row, say, set, table, when } from "./ui.js";

const ROLES = { viewer: "sees applications, without their descriptions", operator: "works with applications", admin: "also decides who may do what" };

// asked is a dialog with a form: act() is called with it, and what is wrong is shown in
// it. What act returns takes the form's place; nothing closes the dialog.
const asked = ({ title, fields, act, verb, danger, done }) => dialog(title, (body, d) => {
  const wrong = el("div", { "aria-live": "assertive" });
  const go = el("button", { type: "submit", class: danger ? "danger" : "main", id: "confirm" }, verb);
  body.append(el("form", { onsubmit: async (e) => {
    e.preventDefault();
    go.disabled = true;
    say(wrong);
    try {
      const shown = await act();
      done();
      if (!shown) { d.close(); return; }
      say(body, shown, el("p", { class: "buttons" }, button("Close", () => d.close(), { class: "main" })));
    } catch (problem) { say(wrong, failure(problem)); go.disabled = false; }
  } }, fields, wrong, el("p", { class: "buttons" }, button("Cancel", () => d.close()), go)));
});

const field = (id, label, input, ...notes) => el("div", { class: "field" }, el("label", { for: id }, label), input, notes);

const roleField = (chosen, changed) => {
  const radios = Object.entries(ROLES).map(([role, what]) => [el("input", { type: "radio", name: "role", id: "role-" + role, value: role, checked: role === chosen, onchange: changed }), role, what]);
  return { value: () => radios.map(([r]) => r).find((r) => r.checked).value,
    element: el("fieldset", {}, el("legend", {}, "Role"), radios.map(([radio, role, what]) => el("label", { class: "choice" }, radio, el("span", {}, el("strong", {}, role), ` ${what}`)))) };
};

const passwordField = (label, required, note) => {
  const input = el("input", { id: "new-password", type: "password", autocomplete: "new-password", minlength: 10, maxlength: 256, required });
  const shown = el("input", { type: "checkbox", id: "show-password", onchange: () => { input.type = shown.checked ? "text" : "password"; } });
  return { value: () => input.value, element: field("new-password", label, input, el("label", { class: "choice" }, shown, "Show it"), note && quiet(note)) };
};

const nameField = () => el("input", { id: "new-name", required: true, autofocus: true, maxlength: 64, pattern: "[a-zA-Z0-9][a-zA-Z0-9._@\\-]*", title: "letters, digits and . _ @ -, beginning with a letter or digit", autocomplete: "off", autocapitalize: "none", spellcheck: "false" });

const addUser = (done) => {
  const name = nameField(), role = roleField("viewer"), password = passwordField("Password", true, "10 characters or more; who it is for should change it.");
  asked({ title: "Add a user", verb: "Add", done, fields: [field("new-name", "Name", name), password.element, role.element],
    act: async () => {
      // One that is there would be changed.
      if ((await all("/v1/users")).some((u) => u.name === name.value)) throw new Error(`user ${name.value} is there already: change it in the list`);
      await request("PUT", path("users", name.value), { body: { password: password.value(), role: role.value() } });
    } });
};

const changeUser = (u, me, done) => {
  const role = roleField(u.role), password = passwordField("New password", false, `Left empty it stays. A new one ends the sessions of ${u.name}${me ? ", this one too" : ""}.`);
  asked({ title: `Change ${u.name}`, verb: "Change", done, fields: [role.element, password.element],
    act: async () => {
      const change = {};
      if (role.value() !== u.role) change.role = role.value();
      if (password.value()) change.password = password.value();
      if (!Object.keys(change).length) return;
      await request("PUT", path("users", u.name), { body: change });
    } });
};

const removeUser = (u, me, done) => asked({ title: `Remove ${u.name}`, verb: "Remove", danger: true, done,
  fields: el("p", {}, `${u.name} can't sign in any more, and sessions end at once.`, me ? " This is you." : ""),
  act: async () => { await request("DELETE", path("users", u.name)); } });

const DAY = 86400;
const LIVES = [["1 day", DAY], ["7 days", 7 * DAY], ["30 days", 30 * DAY], ["90 days", 90 * DAY], ["1 year", 365 * DAY], ["for ever", 0]];

// madeToken shows a token's secret, which is in this answer and kept nowhere.
const madeToken = (t) => {
  const secret = el("input", { id: "secret", class: "secret", readonly: true, value: t.secret, onfocus: () => secret.select() });
  const copied = el("span", { class: "note", role: "status" });
  const copy = button("Copy", async () => { secret.focus(); try { await navigator.clipboard.writeText(t.secret); set(copied, "Copied."); } catch { set(copied, "Select it and copy it."); } });
  return [banner("good", el("strong", {}, `Token ${t.name} is made. `), "Its secret is shown this once, and kept nowhere."),
    el("div", { class: "field" }, el("label", { for: "secret" }, "Secret"), el("div", { class: "copied" }, secret, copy), copied),
    quiet("For scalerctl in SCALERD_TOKEN, and for other programs in the header Authorization: Bearer SECRET.")];
};

const addToken = (done) => {
  const name = nameField(), life = el("select", { id: "life" }, LIVES.map(([text, s]) => el("option", { value: s, selected: s === 90 * DAY }, text)));
  const scope = el("fieldset", { class: "scope" }, el("legend", {}, "Applications"), quiet("None chosen: good for all of them."));
  const boxes = () => [...scope.querySelectorAll("input")];
  const role = roleField("viewer", () => { scope.disabled = role.value() === "admin"; });
  const list = el("div", { class: "choices" });
  scope.append(list);
  all("/v1/applications", { brief: true }).then((apps) => { scope.hidden = !apps.length; say(list, apps.map((a) => el("label", { class: "choice" }, el("input", { type: "checkbox", value: a.name }), a.name))); }).catch((e) => say(list, failure(e)));
  asked({ title: "Make a token", verb: "Make", done, fields: [field("new-name", "Name", name), role.element, scope, field("life", "Good", life)],
    act: async () => {
      const body = { name: name.value, role: role.value() };
      const chosen = boxes().filter((b) => b.checked).map((b) => b.value);
      if (chosen.length && body.role !== "admin") body.applications = chosen;
      if (Number(life.value)) body.expires_in = Number(life.value);
      return madeToken(await post("/v1/tokens", { body }));
    } });
};

const revoke = (t, done) => asked({ title: `Revoke ${t.name}`, verb: "Revoke", danger: true, done,
  fields: el("p", {}, `What uses token ${t.name} (${t.id}) is not let in any more, at once and for good.`),
  act: async () => { await request("DELETE", path("tokens", t.id)); } });

const USERS = ["Name", "Role", "Since", "Actions"], TOKENS = ["Name", "Role", "Good for", "Made", "Ends", "Last used", "Actions"];
const over = (t) => given(t.expires_at) && new Date(t.expires_at) <= Date.now();

export const accessPage = (root, { signal, session }) => {
  const users = el("div", {}, quiet("Loading…")), tokens = el("div", {}, quiet("Loading…"));
  let refresh = () => {}, told = "";
  const changed = () => { told = ""; refresh(); };
  const section = (title, note, verb, add, list) => el("section", { class: "card" }, el("div", { class: "split" }, el("h2", {}, title), button(verb, () => add(changed))), quiet(note), list);
  root.append(el("div", { class: "title" }, el("h1", {}, "Access")),
    section("Users", "People, who sign in with a name and a password.", "Add a user…", addUser, users),
    section("Tokens", "Machines, which show a token's secret. A token ends when it is revoked, or its time is over.", "Make a token…", addToken, tokens));
  refresh = poll(async () => {
    const [people, machines] = await Promise.all([all("/v1/users", {}, { signal }), all("/v1/tokens", {}, { signal })]);
    const text = JSON.stringify([people, machines]);
    if (text === told) return;
    told = text;
    say(users, table(`Users: ${people.length}`, USERS, people.map((u) => {
      const me = session.who.how === "session" && u.name === session.who.name;
      return row(USERS, [[el("strong", {}, u.name), me ? el("span", { class: "note" }, " you") : ""], u.role, when(u.created_at),
        el("span", { class: "buttons" }, button("Change…", () => changeUser(u, me, changed), { class: "plain", "aria-label": `Change ${u.name}` }), button("Remove…", () => removeUser(u, me, changed), { class: "plain", "aria-label": `Remove ${u.name}` }))]);
    }), "access"));
    say(tokens, machines.length ? table(`Tokens: ${machines.length}`, TOKENS, machines.map((t) => row(TOKENS, [
      [el("strong", {}, t.name), el("span", { class: "note" }, ` ${t.id}`)], t.role, (t.applications || []).join(", ") || "all applications", when(t.created_at),
      over(t) ? badge("expired") : given(t.expires_at) ? when(t.expires_at) : "never", given(t.used_at) ? when(t.used_at, ago(t.used_at)) : "never",
      el("span", { class: "buttons" }, button("Revoke…", () => revoke(t, changed), { class: "plain", "aria-label": `Revoke ${t.name}` }))])), "access") : quiet("There is none."));
  }, 10000, signal, (e) => { told = ""; say(users, failure(e)); say(tokens); });
  return "Access";
};
