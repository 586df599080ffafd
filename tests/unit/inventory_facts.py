"""Facts about a small part of Jakarta Pusat that the tests of inventory start from."""

from shared.contracts.inventory import (
    ItemDefined,
    NeedsCalculated,
    PackedBox,
    PickingDrawn,
    PollingStationRegistered,
    RegionRegistered,
    RulesSet,
    SiteProposed,
    SiteReady,
    SiteSurveyed,
    StockReceived,
)

KELURAHAN = "31.71.01.1001"
TPS = f"{KELURAHAN}-001"
OTHER = f"{KELURAHAN}-002"
WAREHOUSE = "GUDANG-31.71"
DAPIL = {"PPWP": "31", "DPR": "DKI-2", "DPD": "31", "DPRD_PROV": "DKI-1"}

RULES = RulesSet(
    region="31",
    reserve_permille=20,
    rounding="up",
    revote_ballots=1000,
    ballot_kinds=tuple(DAPIL),
    max_voters=300,
    recap_boxes=2,
    witnesses=("BAWASLU", "POL", "KEJA"),
)
INK = ItemDefined(region="31", item="tinta", name="Tinta", item_class=1, unit="botol", per_tps=2)
BALLOT = ItemDefined(
    region="31", item="surat-suara", name="Surat suara", item_class=1, unit="lembar", per_tps=0
)
REGION = RegionRegistered(region=KELURAHAN, name="Gambir", level="kelurahan", dapil=DAPIL)
KECAMATAN = RegionRegistered(region="31.71.01", name="Gambir", level="kecamatan")
BASICS = (RULES, INK, BALLOT, REGION, KECAMATAN)

CHECKLIST = dict.fromkeys(
    [
        "flood_free",
        "electricity",
        "cctv",
        "safe_gate",
        "sound_building",
        "ventilation",
        "pallets",
        "truck_access",
        "extinguisher",
        "anti_termite",
        "handling_tools",
        "guards",
    ],
    True,
)


def registered(tps: str = TPS, voters: int = 270) -> PollingStationRegistered:
    return PollingStationRegistered(
        region=tps[:13], tps=tps, number=int(tps[-3:]), voters=voters, source="official"
    )


def needs(tps: str = TPS, voters: int = 270, ballots: int = 276) -> NeedsCalculated:
    return NeedsCalculated(
        region=tps[:13],
        tps=tps,
        voters=voters,
        ballots=dict.fromkeys(DAPIL, ballots),
        dapil=DAPIL,
        items={"tinta": 2},
    )


def station(tps: str = TPS) -> tuple[PollingStationRegistered, NeedsCalculated]:
    return registered(tps), needs(tps)


def proposed(site: str = WAREHOUSE, region: str = "31.71") -> SiteProposed:
    return SiteProposed(
        region=region,
        site=site,
        name="Gudang KPU",
        function="city-warehouse",
        address="Jalan Percetakan Negara",
        owner="KPU",
        latitude_udeg=-6_181_200,
        longitude_udeg=106_835_125,
        capacity_m2=2000,
        cctv=True,
        unchanged=True,
    )


def surveyed(site: str = WAREHOUSE) -> SiteSurveyed:
    return SiteSurveyed(region="31.71", site=site, checklist=CHECKLIST, gaps=())


def ready(site: str = WAREHOUSE) -> SiteReady:
    return SiteReady(
        region="31.71", site=site, opens_on="2023-10-01", closes_on="2024-03-31", contact="p-7"
    )


def ready_site(site: str = WAREHOUSE) -> tuple:
    return proposed(site), surveyed(site), ready(site)


def received(quantity: int, item: str = "tinta", variant: str = "", **changes) -> StockReceived:
    counts = {"sent": quantity, "good": quantity, "damaged": 0, "short": 0}
    fields = {"region": "31.71", "site": WAREHOUSE, "document": "SJ-1", "reason": "delivery"}
    return StockReceived(**(fields | counts | {"item": item, "variant": variant} | changes))


def drawn(*stations: str) -> PickingDrawn:
    return PickingDrawn(region=KELURAHAN, site=WAREHOUSE, stations=stations or (TPS,))


def boxes(tps: str = TPS) -> tuple[PackedBox, ...]:
    return tuple(
        PackedBox(
            unit=f"BOX-{tps}-{kind.replace('_', '-')}",
            contents=kind,
            seal=f"{tps.replace('.', '').replace('-', '')}A{number:03}",
        )
        for number, kind in enumerate(DAPIL)
    )
