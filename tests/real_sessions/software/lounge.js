"use strict";
module.exports = {
  public: true, host: "127.0.0.1", port: $PORT, reverseProxy: true, maxHistory: 10000, messageStorage: [], prefetch: false,
  transports: $TRANSPORTS,
  defaults: {
    name: "Local", host: "127.0.0.1", port: $IRCD, tls: false, rejectUnauthorized: false,
    nick: "$NICK", username: "$NICK", realname: "$NICK", join: "#team,#random",
  },
  lockNetwork: false, leaveMessage: "bye",
};
