"""What a polling station needs: ballots per kind with the reserve, pieces per item."""

from services.inventory.domain.catalogue import Catalogue
from services.inventory.domain.errors import NoDapil
from services.inventory.domain.ids import BALLOT, ballot_variant
from services.inventory.domain.stations import Needs
from shared.contracts.inventory import NeedsCalculated, RegionRegistered, RulesSet


def ballots_for(voters: int, rules: RulesSet) -> int:
    """Voters plus the reserve, per polling station and kind; rounding is a rule.

    Law 7/2017 Art. 344 says 2 % of the voters of each station; rounding up fits the totals that
    KPU published, the law itself does not say.
    """
    reserve = voters * rules.reserve_permille
    rounded = {"up": (reserve + 999) // 1000, "nearest": (reserve + 500) // 1000}
    return voters + rounded.get(rules.rounding, reserve // 1000)


def calculate(
    tps: str, voters: int, rules: RulesSet, catalogue: Catalogue, region: RegionRegistered
) -> NeedsCalculated:
    """The needs of `tps`, or `NoDapil` where its kelurahan lacks a district for a ballot kind."""
    lacking = [kind for kind in rules.ballot_kinds if kind not in region.dapil]
    if lacking:
        raise NoDapil(f"{region.region} has no dapil for {', '.join(lacking)}.", kinds=lacking)
    ballots = ballots_for(voters, rules)
    return NeedsCalculated(
        region=region.region,
        tps=tps,
        voters=voters,
        ballots=dict.fromkeys(rules.ballot_kinds, ballots),
        dapil={kind: region.dapil[kind] for kind in rules.ballot_kinds},
        items={item: d.per_tps for item, d in catalogue.items() if d.per_tps},
    )


def lines(needs: Needs) -> dict[tuple[str, str], int]:
    """The needs as stock lines: (item, variant) -> quantity."""
    ballots = {
        (BALLOT, ballot_variant(kind, needs.dapil[kind])): count
        for kind, count in needs.ballots.items()
    }
    return ballots | {(item, ""): count for item, count in needs.items.items()}
