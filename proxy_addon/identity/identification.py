"""Who is asking.

Asked in this order, the first answer counts:

1. a trusted front proxy (its address is in `front_proxies`) that passes a user on: the user of its
   `Proxy-Authorization`, whose password is not looked at, else the header named
   `front_proxy_header`;
2. proxy sign-in, as far as `sign_in` asks for it or takes it;
3. the address and network map of the rules (`devices:`), most specific network first;
4. nobody: a person named by the address, with the role that `unidentified` gives.

From anyone but a front proxy the header means nothing. `strip_headers` must never reach a site.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from proxy_addon.config.parsers import IpAddress
from proxy_addon.config.settings import Settings
from proxy_addon.core.ruleset import People, RuleSet
from proxy_addon.identity.passwords import PasswordFile, person_name
from proxy_addon.identity.sign_in import Checked, SignIn, basic_credentials, is_basic
from proxy_addon.network.guards import ClientGuard, plain_address
from proxy_addon.system.clock import Clock


class Identity(NamedTuple):
    """A person, and how we know.

    `name`: the person, or `ip:ADDRESS`. `how`: "sign-in", "device", "front-proxy" or "none".
    `roles`: the roles that this way of asking forces; None = those that the rules give to the name.
    `challenge`: answer 407 when the request is for a limited platform or the employee page.
    `refused`: the policy lets nobody unidentified use limited platforms.
    """

    name: str
    identified: bool
    how: str
    roles: tuple[str, ...] | None = None
    challenge: bool = False
    refused: bool = False

    @property
    def signed_in(self) -> bool:
        """Whether the name rests on a password, or on the word of a trusted front proxy."""
        return self.identified and self.how in ("sign-in", "front-proxy")


class Identifier:
    """Tells who is asking. For one event loop."""

    def __init__(
        self,
        rules: Callable[[], RuleSet],
        passwords: PasswordFile | None,
        settings: Settings,
        clock: Clock,
        on_sign_in: Callable[[str], None] = lambda result: None,
    ) -> None:
        self._rules = rules
        self._mode = settings.sign_in
        self._header = settings.front_proxy_header
        self._front = ClientGuard(settings.front_proxies)
        self._sign_in = (
            SignIn(passwords, clock, on_sign_in)
            if passwords is not None and self._mode != "off"
            else None
        )
        self._devices = self._prepared = DeviceMap(People(default_role="", roles={}))
        self.strip_headers: tuple[str, ...] = (
            "Proxy-Authorization",
            *([self._header] if self._header else []),
        )

    def identify_now(
        self, client_ip: str, proxy_authorization: str | None, forwarded_user: str | None
    ) -> Identity | None:
        """Who is asking, from memory; None when credentials have to be checked first: await
        `identify`.

        `client_ip` is the address of the connection, `proxy_authorization` that header's value, and
        `forwarded_user` the value of the header named by `front_proxy_header`.
        """
        if self._front.client_allowed(client_ip):
            name = _passed_on(proxy_authorization, forwarded_user)
            return Identity(name, True, "front-proxy") if name else self._by_address(client_ip)
        demanded, taken = self._sign_in_wanted()
        if not taken or not is_basic(proxy_authorization):
            return self._by_address(client_ip, challenge=demanded)
        checked = self._sign_in.known(proxy_authorization or "") if self._sign_in else Checked(None)
        return None if checked is None else self._signed_in(client_ip, checked)

    async def identify(
        self, client_ip: str, proxy_authorization: str | None, forwarded_user: str | None
    ) -> Identity:
        """Who is asking; waits for a check of the credentials where `identify_now` gave None."""
        who = self.identify_now(client_ip, proxy_authorization, forwarded_user)
        if who is not None or self._sign_in is None:
            return who or self._by_address(client_ip)
        address = str(plain_address(client_ip))
        return self._signed_in(
            client_ip, await self._sign_in.check(address, proxy_authorization or "")
        )

    def look(self) -> None:
        """Notice changed passwords; called now and then. Never waits."""
        if self._sign_in is not None:
            self._sign_in.look()

    def is_front_proxy(self, client_ip: str) -> bool:
        """Whether a client at this address names the users of its requests."""
        return self._front.client_allowed(client_ip)

    def again(self, who: Identity, client_ip: str) -> Identity:
        """The same connection under other rules: who is known by the address is looked up again."""
        if who.signed_in:
            return who
        return self._by_address(client_ip)._replace(challenge=who.challenge)

    def prepare(self, people: People) -> None:
        """Build the index of people by address; from any thread, before they are in force."""
        self._prepared = DeviceMap(people)

    def close(self) -> None:
        """Stop checking passwords."""
        if self._sign_in is not None:
            self._sign_in.close()

    def _sign_in_wanted(self) -> tuple[bool, bool]:
        """Whether sign-in is asked for, and whether credentials are looked at."""
        possible = self._sign_in is not None and self._sign_in.possible()
        if self._mode == "auto":
            return possible, possible
        return self._mode == "required", self._mode != "off"

    def _signed_in(self, client_ip: str, checked: Checked) -> Identity:
        if checked.name is not None:
            return Identity(checked.name, True, "sign-in")
        # Somebody tried: asking again helps them more than being taken for another.
        return self._nobody(client_ip)._replace(challenge=True)

    def _by_address(self, client_ip: str, *, challenge: bool = False) -> Identity:
        people = self._rules().people
        if people is not self._devices.people:
            ready = self._prepared
            self._devices = ready if ready.people is people else DeviceMap(people)
        who = who_is_at(client_ip, self._devices, self._rules().unidentified_role)
        return who if who.how == "device" else who._replace(challenge=challenge)

    def _nobody(self, client_ip: str) -> Identity:
        return _unidentified(client_ip, self._rules().unidentified_role)


def who_is_at(client_ip: str, devices: DeviceMap, unidentified_role: str | None) -> Identity:
    """Who is asking, as far as the address alone tells: a device of the map, else nobody."""
    address = plain_address(client_ip)
    user, role = devices.find(address) if address is not None else (None, None)
    roles = (role,) if role else None
    if user:
        return Identity(user, True, "device", roles)
    if role:
        return Identity(_address_name(client_ip), False, "device", roles)
    return _unidentified(client_ip, unidentified_role)


def _unidentified(client_ip: str, role: str | None) -> Identity:
    return Identity(
        _address_name(client_ip), False, "none", (role,) if role else None, refused=role is None
    )


class DeviceMap:
    """The device map of one reading of the rules: one look-up per prefix length in use."""

    def __init__(self, people: People) -> None:
        self.people = people
        tables: dict[tuple[int, int], dict[int, tuple[str | None, str | None]]] = {}
        for network, user, role in people.devices:
            host_bits = network.max_prefixlen - network.prefixlen
            table = tables.setdefault((network.version, host_bits), {})
            table.setdefault(int(network.network_address) >> host_bits, (_named(user), role))
        self._tables = tuple(
            (*key, tables[key]) for key in sorted(tables)
        )  # fewest host bits first

    def find(self, address: IpAddress) -> tuple[str | None, str | None]:
        """User and role of the most specific network around the address."""
        number = int(address)
        for version, host_bits, table in self._tables:
            if version == address.version and (found := table.get(number >> host_bits)) is not None:
                return found
        return None, None


def _passed_on(proxy_authorization: str | None, forwarded_user: str | None) -> str | None:
    """The user that a front proxy names; a name that nobody can have counts as none."""
    credentials = basic_credentials(proxy_authorization) if proxy_authorization else None
    return _named(credentials[0] if credentials else None) or _named(forwarded_user)


def _named(user: str | None) -> str | None:
    try:
        return person_name(user) if user else None
    except ValueError:
        return None


def _address_name(client_ip: str) -> str:
    return f"ip:{plain_address(client_ip) or 'unknown'}"
