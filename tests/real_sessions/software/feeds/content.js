// Seeded words and posts: the same for every recording, apart from the order in which people ask for them.
"use strict";

const WORDS = ("coffee train garden report meeting lunch release weather harbour music window paper planet river market " +
  "summer bridge library ticket morning kitchen mountain letter colour engine").split(" ");
let state = 12345;

/** The next number of a linear congruential generator, below 1. */
function random() {
  state = (state * 1103515245 + 12345) & 0x7fffffff;
  return state / 0x7fffffff;
}

/** A whole number below `limit`. */
const below = (limit) => Math.floor(random() * limit);

/** `count` words. */
const words = (count) => Array.from({ length: count }, () => WORDS[below(WORDS.length)]).join(" ");

let number = 0;

/** A post with a headline, in most cases a picture, a text and a button. `host` has the pictures. */
function post(host, { like = true } = {}) {
  number += 1;
  const picture = random() < 0.7
    ? `<img loading="lazy" width="480" height="320" src="https://pics.${host}/img/${below(60)}.jpg?p=${number}">`
    : "";
  const button = like ? `<button class="like" data-n="${number}">Like</button>` : "";
  return `<article class="post"><h3><a href="/post/${number}">${words(5)}</a></h3>${picture}` +
    `<p>${words(20 + below(60))}</p>${button}</article>`;
}

/** Several posts. */
const posts = (host, count, options) => Array.from({ length: count }, () => post(host, options)).join("");

/** A long text with a picture and comments. */
function story(host) {
  number += 1;
  const picture = `<img width="480" height="320" src="https://pics.${host}/img/${below(60)}.jpg?b=${number}">`;
  const body = Array.from({ length: 12 }, () => `<p>${words(70)}</p>`).join("");
  const comments = Array.from({ length: 20 }, () => `<p>${words(15)}</p>`).join("");
  return `<h1>${words(6)}</h1>${picture}${body}<h2>Comments</h2>${comments}`;
}

module.exports = { below, posts, random, story, words };
