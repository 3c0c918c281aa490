"""Stands where the proxy's adapter stands: says who is asking."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


def as_person(
    app: ASGIApp,
    name: str = "dora",
    *,
    identified: bool = True,
    address: str = "10.0.7.33",
    reached: str | None = None,
    signed_in: bool = False,
    newcomer: bool = False,
    direct: bool = False,
    secure: bool = False,
) -> ASGIApp:
    """The application as `name` gets it through the proxy."""

    async def with_person(scope: Scope, receive: Receive, send: Send) -> None:
        entry = {
            "name": name,
            "identified": identified,
            "address": address,
            "reached": reached,
            "signed_in": signed_in,
            "newcomer": newcomer,
            "direct": direct,
        }
        if secure:
            scope["scheme"] = "https"
        scope["extensions"] = {**scope.get("extensions", {}), "allowance.person": entry}
        await app(scope, receive, send)

    return with_person
