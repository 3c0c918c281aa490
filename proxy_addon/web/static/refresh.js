const every = 20000, withEvents = 60000, apart = 3000;
let source = null, refused = false, known = null, last = Date.now(), planned = 0;
// Changes what differs, and nothing else: focus, selection, what is open and how far somebody has
// scrolled stay. Elements with an id are found again by it.
function patch(shown, fresh) {
  for (const { name, value } of fresh.attributes)
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  for (const { name } of [...shown.attributes])
    if (!fresh.hasAttribute(name) && !(name === "open" && shown.localName === "details")) shown.removeAttribute(name);
  if (shown.localName === "form" || shown.id === "announced") return; // somebody may be typing
  let at = shown.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const found = match(at, wanted);
    if (!found) {
      shown.insertBefore(document.importNode(wanted, true), at);
      continue;
    }
    while (at !== found) at = remove(at);
    if (found.nodeType === Node.ELEMENT_NODE) patch(found, wanted);
    else if (found.data !== wanted.data) found.data = wanted.data;
    at = found.nextSibling;
  }
  while (at) at = remove(at);
}
function remove(node) {
  const after = node.nextSibling;
  node.remove();
  return after;
}
// What is to become `wanted`: with an id the node of that id, else what stands at its place; null: it is new.
function match(at, wanted) {
  if (!wanted.id) return at && at.nodeName === wanted.nodeName && !at.id ? at : null;
  for (let each = at; each; each = each.nextSibling)
    if (each.id === wanted.id && each.nodeName === wanted.nodeName) return each;
  return null;
}
function announce(before, fresh) {
  const now = fresh.querySelector("[data-tone]")?.dataset.tone;
  if (before !== undefined && now !== undefined && before !== now)
    document.getElementById("announced").textContent = fresh.querySelector("h1").textContent;
}
async function refresh() {
  planned = 0;
  last = Date.now();
  if (document.hidden) return;
  try {
    const answer = await fetch(location.pathname, { cache: "no-store" });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    const shown = document.getElementById("main");
    if (!fresh) return;
    const before = shown.querySelector("[data-tone]")?.dataset.tone;
    if (document.title !== page.title) document.title = page.title;
    patch(shown, fresh);
    announce(before, fresh);
  } catch { /* the proxy does not answer at the moment: keep what is shown */ }
}
function soon() {
  if (!planned) planned = setTimeout(refresh, Math.max(0, last + apart - Date.now()));
}
function listen() {
  if (document.hidden || source || refused || !window.EventSource) return;
  source = new EventSource("/me/events");
  source.addEventListener("balance", (event) => {
    if (known !== null && event.data !== known) soon();
    known = event.data;
  });
  source.addEventListener("full", () => { refused = true; quiet(); });
  source.addEventListener("error", () => {
    if (source && source.readyState === EventSource.CLOSED) { refused = true; quiet(); }
  });
}
function quiet() { source?.close(); source = null; }
function live() { return source !== null && source.readyState === EventSource.OPEN; }
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { quiet(); return; } // browsers open few connections to one host
  refused = false;
  listen();
  soon();
});
setInterval(() => {
  if (Date.now() - last >= (live() ? withEvents : every) - 1000) refresh();
}, every);
listen();
