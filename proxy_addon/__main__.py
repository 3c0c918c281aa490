"""`python -m proxy_addon` is `allowance`."""

from proxy_addon.cli.main import app

if __name__ == "__main__":
    app(prog_name="allowance")
