"""The carriers' adapters in the web application: what its doors check signatures and call with.

A carrier whose secret is not on this host has none: its reports cannot be checked, so they are
refused until they can be, and everything else goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from contact_service import logs
from contact_service.dispatch.providers import BadProvidersFile, ProviderConfig, create
from providers.base import Provider

_log = logs.log(__name__)


class Adapters(Mapping[str, Provider]):
    """The adapters by the carriers' names, without those that cannot be made.

    What could not be made is tried again whenever it is asked for: a secret that comes later is
    read without a start.
    """

    def __init__(self, configs: Sequence[ProviderConfig]) -> None:
        self._configs = {config.name: config for config in configs}
        self._made: dict[str, Provider] = {}
        self._why: dict[str, str] = {}
        self.why_not()

    @property
    def configured(self) -> Sequence[str]:
        """The names of all of them."""
        return list(self._configs)

    def why_not(self) -> Mapping[str, str]:
        """The carriers that cannot be used here, and why: in words, with the remedy."""
        return {name: self._why[name] for name in self._configs if self.get(name) is None}

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._configs if self.get(name) is not None)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _make(self, name: str) -> Provider:
        """Raises ``KeyError`` for no such carrier and for one that cannot be made, which is said
        once for each reason."""
        try:
            return create(self._configs[name])
        except BadProvidersFile as error:
            if self._why.get(name) != str(error):
                _log.error("provider.unusable", provider=name, said=str(error))
            self._why[name] = str(error)
            raise KeyError(name) from None

    async def close(self) -> None:
        """Let go of their connections."""
        for provider in self._made.values():
            await provider.close()
