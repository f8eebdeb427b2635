"""The keyring that a worker uses now, and how it notices that another worker or a command changed it."""

from watchword.database import Database
from watchword.database import keys as stored
from watchword.keys.keyring import Keyring, WeakKey, load_keyring
from watchword.keys.roots import Roots, UndecipherableKey


class CurrentKeys:
    """Holds the keyring of this worker; `ring` is whole at any time.

    Workers notice a rotation one after another, within seconds. Until then one goes on signing with the key that
    retires, whose private part it still has in memory. That is harmless: the others publish and verify a retiring key
    for as long as any token lives and more. The other way round, what a faster worker signs with the new key verifies
    here, because the key has been in the ring as `next`. Only a revoked key stays good here for these seconds.
    """

    __slots__ = ("_refused", "ring")

    def __init__(self, ring: Keyring) -> None:
        self.ring = ring
        self._refused = ring.revision

    async def follow(self, database: Database, roots: Roots) -> bool:
        """Load the keys anew if they changed; say whether they did. One statement, three more after a change.

        Raises:
            UndecipherableKey: one does not open under this worker's secret key. The ring stays what it was, and this
                change is not looked at again.
            WeakKey: as well.
        """
        revision = await stored.revision(database)
        if revision in {self.ring.revision, self._refused}:
            return False
        try:
            ring = await load_keyring(database, roots, self.ring)
        except (UndecipherableKey, WeakKey):
            self._refused = revision
            raise
        self._take_over(ring)
        return True

    def _take_over(self, ring: Keyring) -> None:
        before, self.ring = self.ring, ring
        signing = {key.kid for key in ring.signing.values()}
        for key in before.signing.values():
            if key.kid not in signing:
                key.forget_private_part()
