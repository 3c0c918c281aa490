const every = 20000;
setInterval(async () => {
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
}, every);
