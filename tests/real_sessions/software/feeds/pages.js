// The pages of the feeds: what others wrote does the loading; what a site adds of its own are polls and beacons.
"use strict";

const STYLE = "<style>body{max-width:520px;margin:auto;font:16px sans-serif}img{background:#ddd}</style>";
const head = (title, scripts) =>
  `<!doctype html><html lang="en"><head><title>${title}</title><meta name="viewport" content="width=device-width">${STYLE}` +
  scripts.map((name) => `<script src="/lib/${name}"></script>`).join("") + "</head><body>";

// Beacons of where a reader is, and of a tab that is hidden or shown.
const BEACONS = `
let seen = [];
addEventListener("scroll", () => seen.push(scrollY), { passive: true });
setInterval(() => { if (seen.length) navigator.sendBeacon("/log", JSON.stringify(seen.splice(0))); }, 10000);
document.addEventListener("visibilitychange", () => navigator.sendBeacon("/log", document.visibilityState));`;

const LIKES = `
document.addEventListener("click", (event) => {
  const button = event.target.closest(".like");
  if (!button) return;
  button.textContent = "Liked";
  fetch("/api/like", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ n: button.dataset.n }) });
});`;

/** infinite-scroll loads more; socket.io tells of news, over `transport`; a poll now and then puts new posts on top. */
const infinite = (transport, body) => head("feed", ["socket.io.js", "infinite-scroll.js"]) + body + `<script>
if (${transport === "websocket"}) navigator.serviceWorker.register("/sw.js");
io({ transports: ["${transport}"] }).on("news", (news) => { document.title = "(" + news.n + ") feed"; });
${LIKES}${BEACONS}
setInterval(() => fetch("/api/notifications").then((answer) => answer.json()), 30000);
const poll = () => setTimeout(() => fetch("/api/timeline/new?since=" + Date.now()).then((answer) => answer.text()).then((html) => {
  const feed = document.querySelector(".feed");
  if (feed && html && scrollY < 200) feed.insertAdjacentHTML("afterbegin", html);
}).finally(poll), 45000 * (0.8 + 0.4 * Math.random()));
poll();
const feed = document.querySelector(".feed");
if (feed) new InfiniteScroll(feed, { path: "/page/{{#}}?t=${transport}", append: ".post", history: false, scrollThreshold: 600 });
</script></body></html>`;

/** htmx loads more when the last post comes into view, and swaps in what server-sent events bring. */
const events = (body) => head("news", ["htmx.js", "htmx-sse.js"]) +
  `<div hx-ext="sse" sse-connect="/events"><p>Unread: <b sse-swap="unread">0</b></p><p class="ticker" sse-swap="ticker"></p></div>` +
  `<div class="feed">${body}</div><script>${LIKES}${BEACONS}</script></body></html>`;

/** The post at the end of a part of that feed, which asks for the next part. */
const next = (page) => `<div class="more" hx-get="/page/${page}" hx-trigger="revealed" hx-swap="outerHTML">…</div>`;

/** A magazine: quicklink prefetches the links in view, workbox keeps the shell and pictures ahead of any use. */
const magazine = (body) => head("magazine", ["quicklink.js"]) + body + `<script>
navigator.serviceWorker.register("/sw.js");
quicklink.listen({ limit: 12, delay: 600 });
setInterval(() => fetch("/api/most-read").then((answer) => answer.json()), 60000);
${BEACONS}
</script></body></html>`;

// The service workers: workbox's own modules, from this server.
const WORKBOX = `importScripts("/workbox/workbox-sw.js");
workbox.setConfig({ modulePathPrefix: "/workbox/", debug: false });
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
`;
const IMAGES = `workbox.routing.registerRoute(({ request }) => request.destination === "image",
  new workbox.strategies.StaleWhileRevalidate({ cacheName: "images" }));
workbox.routing.registerRoute(({ request }) => request.destination === "script",
  new workbox.strategies.CacheFirst({ cacheName: "scripts" }));
`;
const PRECACHE = `workbox.precaching.precacheAndRoute([
  { url: "/offline.html", revision: "1" }, { url: "/lib/quicklink.js", revision: "1" },
  ...Array.from({ length: 8 }, (_, number) => ({ url: "/img/" + number + ".jpg", revision: "1" })),
]);
workbox.routing.registerRoute(({ request }) => request.destination === "image",
  new workbox.strategies.CacheFirst({ cacheName: "images" }));
`;

module.exports = { events, infinite, magazine, next, workers: { feed: WORKBOX + IMAGES, magazine: WORKBOX + PRECACHE } };
