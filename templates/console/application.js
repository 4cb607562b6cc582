// One application: its groups, what runs, its newest decisions, and its end.
import { all, get, path, poll } from "./client.js";
import { banner, button, card, el, failure, link, quiet, route, row, say, set, table, when } from "./ui.js";
import { alarm, groupTable, problems } from "./fleet.js";
import { destroy, pause } from "./actions.js";
import { summary } from "./explain.js";

const DECISIONS = ["When", "Group", "Decision", "Why", "Explain"];

export const applicationPage = (root, { signal, session, args: [app] }) => {
  let status = null, refresh = () => {};
  const may = session.may("operator");
  const notice = el("div", { "aria-live": "polite" });
  const groups = groupTable(false);
  const decisions = el("div", {});
  const nodes = () => (status.groups || []).reduce((n, g) => n + g.wanted, 0);
  const hold = button("Pause…", () => pause(app, "", !status.paused, { nodes: nodes() }, () => refresh()), { disabled: true });
  const end = button("Destroy…", async () => destroy(app, await all(path("applications", app, "nodes"), {}), () => refresh()), { class: "danger", disabled: true });
  root.append(el("div", { class: "title" }, el("p", { class: "crumbs" }, link("#/", "Fleet")), el("h1", {}, app),
    may && el("div", { class: "buttons" }, link(route("submit", app), "Edit the description"), hold, end)),
  notice, groups.element, card("Decisions", decisions, el("p", {}, link("#/decisions", "All decisions, with search"))));
  let told = "", decided = "";
  refresh = poll(async () => {
    const [now, made] = await Promise.all([get(path("applications", app), {}, { signal }), get(path("applications", app, "decisions"), { limit: 25, brief: true }, { signal })]);
    status = now;
    hold.disabled = end.disabled = Boolean(status.destroying);
    set(hold, status.paused ? "Resume…" : "Pause…");
    groups.update([status], () => true);
    const bad = problems([status]);
    const text = JSON.stringify([bad, status.paused, status.destroying]);
    if (text !== told) {
      told = text;
      say(notice, alarm(bad), status.destroying && banner("calm", "The application is being destroyed."), status.paused && banner("calm", el("strong", {}, "Paused. "), "No policy changes any group; nodes stay and are repaired."));
    }
    const list = made.items || [];
    const ids = JSON.stringify(list.map((d) => d.id));
    if (ids !== decided) {
      decided = ids;
      say(decisions, list.length ? table("The newest decisions", DECISIONS, list.map((d) => row(DECISIONS, [when(d.at), link(route("a", app, "g", d.group), d.group), summary(d), (d.reasons || [])[0] || "", link(route("a", app, "g", d.group, "d", d.id), `Explain ${d.id}`)])), "decided") : quiet("Nothing was decided yet."));
    }
  }, 3000, signal, (e) => {
    told = "";
    say(notice, e.status === 404 && status ? banner("good", `${app} is gone. `, link("#/", "Back to the fleet")) : failure(e));
  });
  return app;
};
