let list = null, title = null;
const first = 4000, longest = 60000;
let looking = false, planned = 0, pause = first;
async function isDone(address) {
  try {
    const answer = await fetch(address, { cache: "no-store" });
    return answer.ok && (await answer.json()).ok === true;
  } catch {
    return false; /* the certificate is not trusted, or the proxy is not used */
  }
}
function say() {
  const missing = list.querySelectorAll("[data-state=missing]").length;
  const unknown = list.querySelector("[data-state=unknown]");
  const text = missing || !unknown ? title.dataset["n" + missing] : title.dataset.unknown;
  if (title.textContent !== text) title.textContent = document.title = text;
}
async function look() {
  if (looking || document.hidden || !list) return;
  looking = true;
  clearTimeout(planned);
  const open = list.querySelectorAll("[data-check]:not([data-state=done])");
  for (const item of open) {
    const done = await isDone(item.dataset.check);
    if (done && item.dataset.next) {
      location.replace(item.dataset.next + location.search);
      return;
    }
    item.dataset.state = done ? "done" : "missing";
  }
  say();
  looking = false;
  if (list.querySelector("[data-check]:not([data-state=done])")) planned = setTimeout(look, pause);
  pause = Math.min(pause * 1.5, longest);
}
function again() {
  pause = first;
  look();
}
document.addEventListener("visibilitychange", again);
addEventListener("focus", again);
document.addEventListener("DOMContentLoaded", () => {
  list = document.querySelector(".tick");
  title = document.querySelector("h1");
  look();
});
