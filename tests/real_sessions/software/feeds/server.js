// The servers of the feeds: node server.js PORT NODE_MODULES PICTURES. Three sites by the Host header, see pages.js.
"use strict";

const fs = require("fs");
const http = require("http");
const path = require("path");

const [port, modules, pictures] = process.argv.slice(2);
const { Server } = require(path.join(modules, "socket.io"));
const { below, posts, random, story, words } = require("./content.js");
const pages = require("./pages.js");

const LIBRARIES = {
  "infinite-scroll.js": "infinite-scroll/dist/infinite-scroll.pkgd.min.js",
  "socket.io.js": "socket.io-client/dist/socket.io.min.js",
  "htmx.js": "htmx.org/dist/htmx.min.js",
  "htmx-sse.js": "htmx-ext-sse/dist/sse.min.js",
  "quicklink.js": "quicklink/dist/quicklink.umd.js",
};
const images = fs.readdirSync(pictures).filter((name) => name.endsWith(".jpg")).sort()
  .map((name) => fs.readFileSync(path.join(pictures, name)));
const HOUR = { "cache-control": "max-age=3600", "access-control-allow-origin": "*" };

/** Answer whole. */
function send(response, type, body, headers = {}) {
  response.writeHead(200, { "content-type": type, "cache-control": "no-store", ...headers });
  response.end(body);
}
const html = (response, body) => send(response, "text/html; charset=utf-8", body);
const json = (response, value) => send(response, "application/json", JSON.stringify(value));
const script = (response, file) => send(response, "text/javascript", fs.readFileSync(path.join(modules, file)), HOUR);

/** Server-sent events: a comment every 15 s keeps the connection, something new comes every 20 to 80 s. */
function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write("retry: 4000\n\n");
  let timer;
  const keep = setInterval(() => response.write(": keep\n\n"), 15000);
  const tell = () => {
    response.write(random() < 0.6 ? `event: unread\ndata: ${below(9)}\n\n` : `event: ticker\ndata: ${words(12)}\n\n`);
    timer = setTimeout(tell, 20000 + random() * 60000);
  };
  timer = setTimeout(tell, 6000);
  request.on("close", () => { clearInterval(keep); clearTimeout(timer); });
}

const SITES = {
  "feed.test": (url, response) => {
    const transport = url.searchParams.get("t") === "polling" ? "polling" : "websocket";
    if (url.pathname === "/") return html(response, pages.infinite(transport, `<div class="feed">${posts("feed.test", 8)}</div>`));
    if (url.pathname.startsWith("/page/")) return html(response, `<div class="feed">${posts("feed.test", 8)}</div>`);
    if (url.pathname.startsWith("/post/")) return html(response, pages.infinite(transport, story("feed.test")));
    if (url.pathname === "/api/timeline/new") return html(response, random() < 0.5 ? posts("feed.test", 1 + below(3)) : "");
    if (url.pathname === "/sw.js") return send(response, "text/javascript", pages.workers.feed);
    return false;
  },
  "news.test": (url, response, request) => {
    const part = (page) => posts("news.test", 8) + pages.next(page + 1);
    if (url.pathname === "/") return html(response, pages.events(part(1)));
    if (url.pathname.startsWith("/page/")) return html(response, part(Number(url.pathname.slice(6)) || 1));
    if (url.pathname.startsWith("/post/")) return html(response, pages.events(story("news.test")));
    if (url.pathname === "/events") return stream(request, response);
    return false;
  },
  "mag.test": (url, response) => {
    if (url.pathname === "/") return html(response, pages.magazine(posts("mag.test", 30, { like: false })));
    if (url.pathname.startsWith("/post/")) return html(response, pages.magazine(story("mag.test") + posts("mag.test", 4, { like: false })));
    if (url.pathname === "/offline.html") return html(response, "<!doctype html><title>offline</title><p>No network.</p>");
    if (url.pathname === "/api/most-read") return json(response, Array.from({ length: 5 }, () => words(5)));
    if (url.pathname === "/sw.js") return send(response, "text/javascript", pages.workers.magazine);
    return false;
  },
};

/** What all sites have. */
function common(url, response, request) {
  const image = url.pathname.match(/^\/img\/(\d+)\.jpg$/);
  if (image) return send(response, "image/jpeg", images[image[1] % images.length], HOUR);
  if (url.pathname === "/api/notifications") return json(response, { unread: below(5) });
  if (url.pathname === "/api/like") { request.resume(); return json(response, { ok: true }); }
  if (url.pathname === "/log") { request.resume(); response.writeHead(204); return response.end(); }
  const library = LIBRARIES[url.pathname.slice("/lib/".length)];
  if (url.pathname.startsWith("/lib/") && library) return script(response, library);
  const part = url.pathname.match(/^\/workbox\/(workbox-([a-z]+)\.prod\.js|workbox-(sw)\.js)$/);
  if (part) return script(response, `workbox-${part[2] || part[3]}/build/${part[1]}`);
  response.writeHead(404);
  return response.end();
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://feeds");
  const site = SITES[(request.headers.host || "").split(":")[0].replace(/^pics\./, "")];
  if (!site || site(url, response, request) === false) common(url, response, request);
});
const sockets = new Server(server, { pingInterval: 25000 });
const news = () => { sockets.emit("news", { n: below(9), text: words(12) }); setTimeout(news, 20000 + random() * 60000); };
setTimeout(news, 9000);
server.listen(Number(port), "127.0.0.1");
