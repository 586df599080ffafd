"""The vault: who the ids of persons are. Events hold a salted hash; forgetting makes it mute."""

from shared.vault.people import PeopleDecider, Record
from shared.vault.vault import find, forget, migrate, people, put

__all__ = ["PeopleDecider", "Record", "find", "forget", "migrate", "people", "put"]
