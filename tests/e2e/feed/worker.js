// Stands between the page and the network, and asks for things of its own.
addEventListener('install', () => skipWaiting());
addEventListener('activate', event => event.waitUntil(clients.claim()));
addEventListener('fetch', event => {
  if (event.request.method === 'GET' && event.request.destination !== 'video') event.respondWith(fetch(event.request));
});
addEventListener('message', event => event.waitUntil(fetch('/api/sync', { method: 'POST', body: '{}' })));
