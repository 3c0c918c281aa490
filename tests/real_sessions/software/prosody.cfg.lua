modules_enabled = { "disco", "roster", "saslauth", "blocklist", "bookmarks", "carbons", "pep", "private", "smacks", "vcard4",
  "vcard_legacy", "csi_simple", "ping", "register", "time", "version", "mam", "websocket", "bosh", "posix" }
modules_disabled = { "s2s", "tls" }
run_as_root = true
data_path = "$WORK/prosody-data"
pidfile = "$WORK/prosody.pid"
log = { info = "$WORK/prosody-messages.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { $XMPPC2S }
s2s_ports = { }
http_ports = { $XMPP }
https_ports = { }
http_interfaces = { "127.0.0.1" }
http_host = "chat.test"
consider_websocket_secure = true
consider_bosh_secure = true
cross_domain_websocket = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
VirtualHost "chat.test"
