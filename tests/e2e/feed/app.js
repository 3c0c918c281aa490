// A feed as feeds are: it loads what is scrolled to, and it never rests. Seconds here are office seconds.
const ms = seconds => seconds * 1000 / SPEED;
const jittered = (seconds, by) => ms(seconds * (1 - by + 2 * by * Math.random()));
const byId = id => document.getElementById(id);
const json = async (path, options) => (await fetch(path, options)).json();
const every = (seconds, by, what) => setTimeout(async () => {
  try { await what(); } finally { every(seconds, by, what); }
}, jittered(seconds, by));

// What a person causes.
let cursor = 0, loading = false;
async function more() {
  if (loading) return;
  loading = true;
  const page = await json('/api/timeline?cursor=' + cursor++);
  for (const post of page.posts) byId('feed').append(article(post));
  loading = false;
}
function article(post) {
  const box = document.createElement('article');
  box.id = 'post-' + post.id;
  box.innerHTML = `<b>${post.by}</b><p>${post.text}</p>`;
  if (post.film) {
    box.innerHTML += `<button class="play">Play</button>`;
    box.querySelector('.play').onclick = () => play(box, post.film + FILM + '.wav');
  } else {
    box.innerHTML += `<img loading="lazy" src="${post.picture}"><button class="like">Like</button>`;
    box.querySelector('.like').onclick = () => json('/api/like', { method: 'POST', body: JSON.stringify({ post: post.id }) });
    box.querySelector('img').onclick = () => open_(post.id);
  }
  return box;
}
function play(box, film) {
  const video = document.createElement('video');
  video.controls = video.autoplay = video.muted = true;
  video.onended = () => { document.body.dataset.ended = film; };
  video.onerror = () => { document.body.dataset.failed = video.error.message; };
  video.src = film;
  box.querySelector('.play').replaceWith(video);
}
async function open_(id) {
  const thread = await json('/api/thread/' + id);
  history.pushState({}, '', '/post/' + id);
  byId('open').innerHTML = `<button id="close">Close</button><h2>Post ${id}</h2>` +
    thread.replies.map(r => `<p><img src="${r.face}" width="40" height="40"> ${r.text}</p>`).join('');
  byId('close').onclick = () => { byId('open').hidden = true; history.back(); };
  byId('open').hidden = false;
}
new IntersectionObserver(seen => { if (seen[0].isIntersecting) more(); }, { rootMargin: '400px' }).observe(byId('end'));

// What goes on by itself: reports, polls, advertisements, a socket, a service worker.
const report = what => navigator.sendBeacon('/api/report', JSON.stringify({ what, at: performance.now() }));
let told = 0;
addEventListener('scroll', () => { if (performance.now() - told > 300) { told = performance.now(); report('seen'); } });
addEventListener('visibilitychange', () => report(document.visibilityState));
every(8, 0.2, () => report('alive'));
every(20, JITTER, async () => { byId('badge').textContent = (await json('/api/news?since=' + Date.now())).unread; });
every(30, 0.05, async () => {
  const offer = await json('/api/offer');
  byId('promo').innerHTML = `<small>Advertisement</small><img src="${offer.picture}" width="160">`;
});

const socket = new WebSocket('wss://' + location.host + '/live?speed=' + SPEED);
socket.onopen = () => setInterval(() => socket.send('{"kind":"ping"}'), ms(25));
socket.onmessage = event => {
  const said = JSON.parse(event.data);
  // In the fast office a receipt of ours would come a second late, which no browser's does.
  if (said.kind === 'push' && SPEED < 2) socket.send(JSON.stringify({ kind: 'seen', id: said.id }));
};
byId('chat').onkeydown = event => {
  if (event.key !== 'Enter') return;
  socket.send(JSON.stringify({ kind: 'say', to: 'kim', id: crypto.randomUUID(), text: byId('chat').value }));
  byId('chat').value = '';
};

navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(ready => {
  document.body.dataset.worker = 'ready';
  setInterval(() => ready.active.postMessage('sync'), ms(45));
});
