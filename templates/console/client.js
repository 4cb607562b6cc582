// The client of the API: requests, pages, polling and streams of events.

// Problem is an answer that is not a success; problem.errors has the details.
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.message || body.title || `the answer is ${status}`);
    this.status = status;
    this.errors = body.errors || [];
  }
}

// newKey is an Idempotency-Key: an order that is given again with it is carried out once.
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

let heard = () => {};
// listen tells a function of every answer, and of every request without one.
export const listen = (f) => { heard = f; };

// request asks the API; the result is the decoded body, with whole beside its ETag.
export const request = async (method, path, { body, query, headers, signal, whole, key } = {}) => {
  const used = Object.entries(query || {}).filter(([, v]) => v !== undefined && v !== null && v !== "");
  const url = path + (used.length ? "?" + new URLSearchParams(used) : "");
  const all = { Accept: "application/json", ...headers };
  if (body !== undefined) all["Content-Type"] = "application/json";
  if (key) all["Idempotency-Key"] = key;
  let answer;
  try {
    answer = await fetch(url, { method, headers: all, body: body === undefined ? undefined : JSON.stringify(body), signal, credentials: "same-origin", cache: "no-store" });
  } catch (e) {
    if (e.name === "AbortError") throw e;
    heard(0);
    throw new Problem(0, { detail: "scalerd does not answer" });
  }
  heard(answer.status);
  const text = await answer.text();
  let parsed = {};
  try { parsed = text ? JSON.parse(text) : {}; } catch { parsed = { detail: text.slice(0, 500) }; }
  if (!answer.ok) throw new Problem(answer.status, parsed);
  return whole ? { body: parsed, etag: answer.headers.get("ETag") } : parsed;
};

export const get = (path, query, more) => request("GET", path, { query, ...more });
export const post = (path, options) => request("POST", path, options || {});
export const path = (...parts) => "/v1/" + parts.map(encodeURIComponent).join("/");
export const groupPath = (app, group, ...more) => path("applications", app, "groups", group, ...more);

// all reads every page of a list, up to a number of items.
export const all = async (where, query, { signal, most = 5000 } = {}) => {
  const items = [];
  let token;
  do {
    const page = await get(where, { limit: 1000, ...query, page_token: token }, { signal });
    items.push(...(page.items || []));
    token = page.next_page_token;
  } while (token && items.length < most);
  return items;
};

// pager shows a list that comes in pages, the newest first: newest() reads its first page
// anew and older() one more. What was asked for before something else is not shown.
export const pager = (read, show, failed) => {
  let items = [], token, asked = 0;
  const take = async (after) => {
    const mine = ++asked;
    try {
      const page = await read(after);
      if (mine !== asked) return;
      items = after ? [...items, ...(page.items || [])] : page.items || [];
      token = page.next_page_token;
      show(items, Boolean(token));
    } catch (e) { if (e.name !== "AbortError" && mine === asked) failed(e); }
  };
  return { newest: () => take(), older: () => take(token) };
};

// poll calls a function now and then again, each time after it has ended, while the
// page is seen and until the signal. A failure is told to failed.
export const poll = (f, every, signal, failed) => {
  let timer;
  const run = async () => {
    clearTimeout(timer);
    if (signal.aborted) return;
    if (!document.hidden) {
      try { await f(); } catch (e) {
        if (signal.aborted || e.name === "AbortError") return;
        failed(e);
      }
    }
    if (!signal.aborted) timer = setTimeout(run, every);
  };
  const seen = () => { if (!document.hidden) run(); };
  document.addEventListener("visibilitychange", seen, { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  run();
  return run;
};

// watch follows an operation: line is told each line of progress, and changed its
// states. It returns what stops it.
export const watch = (id, { line, changed, lost }) => {
  const source = new EventSource(path("operations", id, "events"));
  const read = (f) => (e) => f(JSON.parse(e.data));
  source.addEventListener("progress", read(line));
  source.addEventListener("operation", read((op) => {
    changed(op);
    if (op.status !== "running") source.close();
  }));
  source.addEventListener("error", () => { if (lost && source.readyState === EventSource.CLOSED) lost(); });
  return () => source.close();
};

// login begins a session.
export const login = async (name, password) => {
  const answer = await fetch("/login", {
    method: "POST", body: new URLSearchParams({ name, password, next: "/" }), redirect: "manual", credentials: "same-origin",
    headers: { Accept: "application/json" },
  });
  if (answer.type === "opaqueredirect" || answer.ok) return;
  let body = {};
  try { body = await answer.json(); } catch { /* not ours */ }
  throw new Problem(answer.status, body);
};

// methods are the ways to sign in beside the form.
export const methods = async () => (await get("/login/methods")).methods;

export const logout = () => fetch("/logout", { method: "POST", body: new URLSearchParams({ next: "/" }), redirect: "manual", credentials: "same-origin" });
