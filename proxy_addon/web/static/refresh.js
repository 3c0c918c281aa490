const every = 20000, withEvents = 60000, apart = 3000;
let source = null, refused = false, known = null, last = Date.now(), planned = 0;
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
    for (const open of shown.querySelectorAll("details[open][id]"))
      fresh?.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
    if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceWith(fresh);
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
