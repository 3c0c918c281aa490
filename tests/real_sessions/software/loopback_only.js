// Required before a server: names of other machines are not looked up.
"use strict";

const dns = require("dns");
const { lookup } = dns;

dns.lookup = (host, options, callback) => {
  if (host === "localhost" || /^127\./.test(host)) return lookup(host, options, callback);
  const done = typeof options === "function" ? options : callback;
  const error = Object.assign(new Error(`${host} is not looked up`), { code: "ENOTFOUND" });
  return process.nextTick(done, error);
};
