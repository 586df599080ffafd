"""Rows of the letters' attachments from the read model."""

from collections.abc import Mapping
from typing import Any

from shared.contracts.exchange import AttachedSite

COLUMNS = tuple(AttachedSite.model_fields)


def attached_site(row: Mapping[str, Any]) -> AttachedSite:
    """A row of attachment I from a row of `sites.site`."""
    return AttachedSite(**{column: row[column] for column in COLUMNS})
