"""Letters over HTTP: attachments from inventory's facts, answers, deadlines, supplements."""

from datetime import timedelta

from exchange_stack import (
    BAWASLU,
    CLOCK,
    ISSUER,
    LETTER,
    NUMBER,
    POLICE,
    PROSECUTOR,
    START,
    at_work,
    city,
    proposed,
    ready,
    rejected,
    replaced,
)

ASSIGNMENT = {
    "security_unit": "Polres Metro Jakarta Pusat",
    "personnel": 11,
    "shifts": 3,
    "rings": ["inside", "outside", "road"],
}


async def test_a_letter_goes_its_way_and_shows_who_secures_what(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await exchange.send_letter()
        await exchange.command("acknowledge-letter", {"letter": "PAM-31.71"}, POLICE)
        _, letter = await exchange.get("/letters/PAM-31.71", POLICE)
        assert [site["site"] for site in letter["sites"]] == [
            "PERCETAKAN-31",
            "GUDANG-31.71",
            "PPK-31.71.01",
        ]
        assert letter["sites"][2]["contact"] == "person-PPK-31.71.01"
        [row] = letter["schedule"]
        assert (row["name"], row["stations"], row["boxes"]) == ("Gambir", 2, 8)
        assert letter["copies"] == ["KPU-DKI.KETUA", "BAWASLU-DKI.KETUA", "KEJATI-DKI.ASINTEL"]
        assert letter["number"] == "1/PP.08-SD/3171/2023"
        units = [{"site": site["site"], **ASSIGNMENT} for site in letter["sites"]]
        answer = {"letter": "PAM-31.71", "assignments": units, "order_number": "Sprin/1"}
        await exchange.command("follow-up-letter", answer, POLICE)
        await exchange.own()
        coverage = await exchange.items("/coverage?region=31.71")
        assert {row["site"]: row["secured"] for row in coverage} == {
            "GUDANG-31.71": True,
            "PPK-31.71.01": True,
            "PPK-31.71.02": False,
        }
        assert coverage[0]["secured_by"][0]["security_unit"] == ASSIGNMENT["security_unit"]
        _, totals = await exchange.get("/summary")
        assert totals["coverage"] == {"sites": 5, "secured": 3, "open": 2}
        assert (totals["letters"]["followed_up"], totals["letters"]["total"]) == (1, 1)
        await exchange.command("close-letter", {"letter": "PAM-31.71", "note": "Selesai"})
        _, letter = await exchange.get("/letters/PAM-31.71")
        assert letter["state"] == "closed"
        assert [each["type"].split("-")[-1] for each in letter["timeline"]] == [
            "drafted.v1",
            "issued.v1",
            "rendered.v1",
            "dispatched.v1",
            "acknowledged.v1",
            "up.v1",
            "closed.v1",
        ]


async def test_sites_that_change_after_the_issue_are_told_in_one_supplement(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await exchange.send_letter()
        await exchange.report(
            ready("PPK-31.71.02", "31.71.02"),
            proposed("GUDANG-31.71-B", "31.71", "city-warehouse"),
            ready("GUDANG-31.71-B", "31.71"),
            replaced("GUDANG-31.71", "31.71", "GUDANG-31.71-B"),
            proposed("PPS-31.71.01.1001", "31.71.01.1001", "village-post"),
            rejected("PPS-31.71.01.1001", "31.71.01.1001"),
            proposed("PPK-31.75.02", "31.75.02"),
            ready("PPK-31.75.02", "31.75.02"),
        )
        letters = await exchange.items("/letters")
        assert [(row["letter"], row["state"]) for row in letters] == [
            ("PAM-31.71-S1", "drafted"),
            ("PAM-31.71", "dispatched"),
        ]
        _, supplement = await exchange.get("/letters/PAM-31.71-S1")
        assert supplement["supplements"] == "PAM-31.71"
        assert [(each["site"], each["change"]) for each in supplement["changes"]] == [
            ("PPK-31.71.02", "added"),
            ("GUDANG-31.71-B", "added"),
            ("GUDANG-31.71", "replaced"),
        ]
        assert {site["site"] for site in supplement["sites"]} == {"PPK-31.71.02", "GUDANG-31.71-B"}
        await exchange.issue("PAM-31.71-S1")
        await exchange.report(rejected("PPK-31.71.02", "31.71.02"))
        _, second = await exchange.get("/letters/PAM-31.71-S2")
        assert [(each["site"], each["change"]) for each in second["changes"]] == [
            ("PPK-31.71.02", "rejected")
        ]
        _, totals = await exchange.get("/summary")
        assert totals["letters"]["supplementary"] == 2


async def test_what_changed_between_draft_and_issue_is_told_too(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await exchange.command("draft-letter", LETTER)
        await exchange.report(ready("PPK-31.71.02", "31.71.02"), rejected("GUDANG-31.71", "31.71"))
        assert len(await exchange.items("/letters")) == 1
        await exchange.issue("PAM-31.71")
        await exchange.own()
        _, supplement = await exchange.get("/letters/PAM-31.71-S1")
        assert [(each["site"], each["change"]) for each in supplement["changes"]] == [
            ("GUDANG-31.71", "rejected"),
            ("PPK-31.71.02", "added"),
        ]


async def test_a_withdrawn_site_is_no_longer_covered(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city(), rejected("PPK-31.71.02", "31.71.02"))
        assert "PPK-31.71.02" not in {row["site"] for row in await exchange.items("/coverage")}
        recorded = await exchange.service.store.read_stream("coverage-PPK-31.71.02")
        assert [event.type for event in recorded] == ["exchange.coverage-closed.v1"]


async def test_a_missed_deadline_is_overdue_and_escalated_once(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.send_letter()
        for days in (3, 5, 6):
            to = (START + timedelta(days=days)).isoformat()
            await exchange.command("move-clock", {"to": to}, CLOCK)
        await exchange.own()
        await exchange.command("draft-letter", {**LETTER, "letter": "LATER"})
        await exchange.own()
        [letter] = await exchange.items("/letters?overdue=true")
        [other] = await exchange.items("/letters?overdue=false")
        assert other["letter"] == "LATER"
        assert letter["escalated"] == ["acknowledge"]
        _, shown = await exchange.get("/letters/PAM-31.71")
        kinds = [each["type"] for each in shown["timeline"]]
        assert kinds.count("exchange.letter-escalated.v1") == 1
        await exchange.command("acknowledge-letter", {"letter": "PAM-31.71"}, POLICE)
        await exchange.own()
        assert await exchange.items("/letters?overdue=true") == []
        to = (START + timedelta(days=11)).isoformat()
        await exchange.command("move-clock", {"to": to}, CLOCK)
        _, shown = await exchange.get("/letters/PAM-31.71")
        assert shown["escalated"] == ["acknowledge", "follow-up"]


async def test_an_agency_sees_what_was_sent_or_copied_to_it_and_no_draft(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.command("draft-letter", LETTER)
        await exchange.own()
        assert await exchange.items("/letters", POLICE) == []
        assert (await exchange.get("/letters/PAM-31.71", POLICE))[0] == 404
        await exchange.issue("PAM-31.71")
        assert len(await exchange.items("/letters", POLICE)) == 1
        assert len(await exchange.items("/letters", PROSECUTOR)) == 1
        stranger = POLICE | {"agency": "KODAM-JAYA"}
        assert await exchange.items("/letters", stranger) == []
        assert (await exchange.get("/letters/PAM-31.71", stranger))[0] == 403
        assert await exchange.items("/letters", BAWASLU, regions=("31.75",)) == []
        assert (await exchange.get("/letters/PAM-31.71", BAWASLU, regions=("31.75",)))[0] == 403


async def test_a_letter_has_a_version_that_a_reader_may_keep(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.command("draft-letter", LETTER)
        headers = {"If-None-Match": '"1"'}
        headers |= ISSUER.bearer(regions=("31",), **BAWASLU)
        async with exchange.client.get("/letters/PAM-31.71", headers=headers) as response:
            assert response.status == 304


async def test_refusals_are_clear_problems_and_nothing_is_stored(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        before = await exchange.service.store.position()
        issue = {"letter": "NOT-THERE", **NUMBER}
        cases = [
            ("issue-letter", issue, {}, 404, "not-found"),
            ("draft-letter", {**LETTER, "nature": "santai"}, {}, 422, "invalid"),
            ("draft-letter", {**LETTER, "addressee": "SIAPA"}, {}, 409, "unknown-agency"),
            ("draft-letter", {**LETTER, "copies": ["SIAPA.KETUA"]}, {}, 409, "unknown-agency"),
            ("draft-letter", LETTER, {"regions": ("31.75",)}, 403, "forbidden"),
            ("draft-letter", LETTER, {"who": POLICE}, 403, "forbidden"),
        ]
        for name, body, more, status, code in cases:
            got, problem = await exchange.post(f"/commands/{name}", body, **more)
            assert (got, problem["code"]) == (status, code), problem
        assert (await exchange.get("/letters?state=lost"))[0] == 422
        assert (await exchange.get("/letters?cursor=x"))[0] == 400
        assert (await exchange.get("/letters", CLOCK))[0] == 403
        assert await exchange.service.store.position() == before


async def test_a_letter_repeated_with_its_key_is_issued_once(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.command("draft-letter", LETTER)
        first = await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER}, key="one")
        again = await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER}, key="one")
        assert first == again
        status, problem = await exchange.post(
            "/commands/issue-letter", {"letter": "PAM-31.71", **NUMBER}, key="two"
        )
        assert (status, problem["code"]) == (409, "wrong-state")
        other = {"letter": "OTHER", **NUMBER}
        assert (await exchange.post("/commands/issue-letter", other, key="one"))[0] == 422


async def test_read_models_that_are_built_anew_show_the_same(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await exchange.send_letter()
        await exchange.report(ready("PPK-31.71.02", "31.71.02"), rejected("GUDANG-31.71", "31.71"))
        await exchange.command("acknowledge-letter", {"letter": "PAM-31.71"}, POLICE)
        units = [{"site": "GUDANG-31.71", **ASSIGNMENT}]
        answer = {"letter": "PAM-31.71", "assignments": units}
        await exchange.command("follow-up-letter", answer, POLICE)
        await exchange.own()
        paths = ("/letters", "/coverage", "/notices", "/agencies", "/summary")
        before = [await exchange.get(path) for path in paths]
        for name in ("exchange", "sites"):
            await exchange.service.worker.rebuild(name)
        assert [await exchange.get(path) for path in paths] == before
