"""For those who run their own mitmproxy: `mitmdump -s proxy_addon/proxy/script.py`.

Settings come from `ALLOWANCE_…` and `allowance.toml`; those of mitmproxy (port, CA folder,
upstream) stay mitmproxy's. There is no web port; the employee page works. Prefer `allowance run`:
mitmproxy watches this file, and when it changes while the proxy runs, no limits apply until it has
been read again.
"""

from proxy_addon.runtime.script_addon import ScriptAddon

addons = [ScriptAddon()]
