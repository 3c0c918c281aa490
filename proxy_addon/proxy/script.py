"""For people who bring their own mitmproxy: `mitmdump -s proxy_addon/proxy/script.py`.

Settings come from `ALLOWANCE_…` and `allowance.toml`; those of mitmproxy (port, CA folder, upstream) stay
mitmproxy's. There is no web port; the employee page works. `allowance run` is the better way: mitmproxy
watches this file, and a change to it while the proxy runs takes the limits away until it has been read again.
"""

from proxy_addon.runtime.script_addon import ScriptAddon

addons = [ScriptAddon()]
