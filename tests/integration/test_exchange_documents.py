"""Letters as documents: rendered once, kept by their hash, verified by anybody."""

import asyncio
from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from exchange_stack import (
    ADMIN,
    BAWASLU,
    ISSUER,
    LETTER,
    NUMBER,
    POLICE,
    PROSECUTOR,
    REGISTRAR,
    Exchange,
    at_work,
    city,
    ready,
)

from services.exchange import policies
from services.exchange.documents.letters import LetterDocuments
from services.exchange.domain.issuing import IssueLetter
from shared import vault
from shared.contracts.base import decode
from shared.contracts.exchange import LetterIssued, LetterRendered, PersonRegistered
from shared.documents import Renderer
from shared.documents import store as documents
from shared.eventstore import Request
from shared.testing.projections import MemoryBus

PDF = "/letters/PAM-31.71/document.pdf"
CHAIR = {"name": "Siti Rahmawati Contoh", "position": "Ketua", "phone": "021-555"}
STRANGER = {"roles": ("agency",), "agency": "DISHUB-DKI", "person": "p-dishub"}


async def signer(exchange: Exchange, record: dict[str, str] = CHAIR, **more: Any) -> Any:
    body = {"person": "p-ketua", "region": "31", "record": record}
    return await exchange.command("register-person", body, **more)


async def pdf(exchange: Exchange, who: dict = BAWASLU, regions: Any = ("31",)) -> tuple[int, bytes]:
    headers = ISSUER.bearer(regions=regions, **who)
    async with exchange.client.get(PDF, headers=headers) as response:
        return response.status, await response.read()


async def verify(exchange: Exchange, digest: str, accept: str = "*/*") -> Any:
    """As anybody does: without a token."""
    headers = {"Accept": accept}
    async with exchange.client.get(f"/verify/{digest}", headers=headers) as response:
        assert response.status == 200, await response.text()
        return await (response.text() if "html" in accept else response.json())


async def upload(
    exchange: Exchange, body: bytes, media: str = "application/pdf"
) -> tuple[int, Any]:
    headers = {"Content-Type": media}
    async with exchange.client.post("/verify", data=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def rendered(exchange: Exchange, letter: str = "PAM-31.71") -> LetterRendered:
    """The one event that says so."""
    life = await exchange.service.store.read_stream(f"letter-{letter}")
    [event] = [each for each in life if each.type == LetterRendered.type]
    return decode(event.type, event.data)  # type: ignore[return-value]


async def kept(exchange: Exchange) -> int:
    return await exchange.service.pool.fetchval("select count(*) from documents.document")


async def again(exchange: Exchange) -> Any:
    """The letter rendered anew, from the log and the vault."""
    service = exchange.service
    verify_url = f"{service.settings.reached_at}/verify"
    anew = LetterDocuments(lambda: service.store, verify_url, Renderer())
    async with service.pool.acquire() as connection:
        return await anew.render(connection, "PAM-31.71")


async def test_an_issued_letter_is_kept_as_the_document_that_its_event_names(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await signer(exchange)
        await exchange.send_letter()
        event = await rendered(exchange)
        status, content = await pdf(exchange)
        assert status == 200 and content.startswith(b"%PDF-")
        assert (sha256(content).hexdigest(), len(content)) == (event.sha256, event.bytes)
        assert event.media_type == "application/pdf"
        assert (await again(exchange)).content == content


async def test_a_document_is_shown_to_those_whom_the_letter_concerns(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.command("draft-letter", LETTER)
        assert (await pdf(exchange))[0] == 404
        await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER})
        await exchange.own()
        assert (await pdf(exchange, POLICE))[0] == 404
        await exchange.command("dispatch-letter", {"letter": "PAM-31.71", "carrier": "courier"})
        assert [(await pdf(exchange, who))[0] for who in (POLICE, PROSECUTOR)] == [200, 200]
        assert (await pdf(exchange, STRANGER))[0] == 403
        assert (await pdf(exchange, BAWASLU, ("32",)))[0] == 403
        async with exchange.client.get(PDF) as response:
            assert response.status == 401


async def test_anybody_can_verify_a_letter_by_its_hash_by_its_qr_code_or_by_the_file(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await signer(exchange)
        await exchange.send_letter()
        event = await rendered(exchange)
        by_file = await verify(exchange, event.sha256)
        assert by_file == {
            "sha256": event.sha256,
            "issued": True,
            "hash_of": "document",
            "document_sha256": event.sha256,
            "number": "1/PP.08-SD/3171/2023",
            "classification": "Perlengkapan penyelenggaraan pemilihan umum",
            "date": "2023-10-30",
            "sender": "KPU Provinsi DKI Jakarta",
            "addressee": "Kepolisian Daerah Metro Jaya",
            "state": "dispatched",
        }
        by_code = await verify(exchange, event.content_sha256)
        assert (by_code["hash_of"], by_code["number"]) == ("content", by_file["number"])
        _, content = await pdf(exchange)
        assert await upload(exchange, content) == (200, by_file)
        status, altered = await upload(exchange, content + b" ")
        assert (status, altered["issued"]) == (200, False)
        assert (await verify(exchange, "0" * 64))["issued"] is False
        assert (await upload(exchange, content, "text/plain"))[0] == 415


async def test_the_verification_page_is_in_indonesian_and_names_no_person(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await signer(exchange)
        await exchange.send_letter()
        event = await rendered(exchange)
        page = await verify(exchange, event.content_sha256, "text/html")
        for said in ("1/PP.08-SD/3171/2023", "30 Oktober 2023", "dikirim", "Metro Jaya"):
            assert said in page
        assert "Siti" not in page and "p-ketua" not in page and LETTER["body"] not in page
        assert "Tidak ada naskah dinas" in await verify(exchange, "0" * 64, "text/html")


async def test_of_a_secret_letter_the_public_learns_that_it_is_genuine_and_no_more(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.send_letter(nature="rahasia")
        event = await rendered(exchange)
        assert await verify(exchange, event.sha256) == {
            "sha256": event.sha256,
            "issued": True,
            "hash_of": "document",
            "document_sha256": event.sha256,
            "number": "1/PP.08-SD/3171/2023",
            "date": "2023-10-30",
        }
        page = await verify(exchange, event.content_sha256, "text/html")
        assert "1/PP.08-SD/3171/2023" in page and "Metro Jaya" not in page and "Tujuan" not in page


async def test_a_forgotten_person_leaves_the_vault_and_the_issued_document_stays(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await signer(exchange)
        await exchange.send_letter()
        issued = await pdf(exchange)
        await exchange.command("forget-person", {"person": "p-ketua"}, key="forget")
        await exchange.command("forget-person", {"person": "p-ketua"}, key="forget")
        assert (await exchange.get("/people/p-ketua", ADMIN))[0] == 404
        row = await exchange.service.pool.fetchrow("select * from vault.person")
        assert (row["person"], row["salt"], row["record"]) == ("p-ketua", None, None)
        assert await pdf(exchange) == issued
        event = await rendered(exchange)
        anew = await again(exchange)
        assert anew.sha256 != event.sha256
        assert anew.content_sha256 == event.content_sha256


async def test_a_forgetting_that_was_cut_off_is_completed_by_the_next(database, monkeypatch):
    async def cut_off(pool: Any, person: str) -> None:
        raise ConnectionError

    async with at_work(database) as exchange:
        await signer(exchange)
        with monkeypatch.context() as patched:
            patched.setattr(vault.vault, "forget", cut_off)
            status, _ = await exchange.post("/commands/forget-person", {"person": "p-ketua"})
            assert status == 503
        assert await exchange.service.pool.fetchval("select record from vault.person") is not None
        status, _ = await exchange.post("/commands/forget-person", {"person": "p-ketua"})
        assert status == 404
        assert await exchange.service.pool.fetchval("select record from vault.person") is None


async def test_a_late_repetition_of_a_forgetting_leaves_who_was_registered_again(database):
    async with at_work(database) as exchange:
        await signer(exchange)
        await exchange.command("forget-person", {"person": "p-ketua"}, key="forget")
        await signer(exchange)
        await exchange.command("forget-person", {"person": "p-ketua"}, key="forget")
        assert (await exchange.get("/people/p-ketua", ADMIN))[1]["record"] == CHAIR


async def test_names_are_in_the_vault_and_nowhere_in_the_log(database, caplog):
    async with at_work(database) as exchange:
        await exchange.directory()
        await signer(exchange)
        await exchange.send_letter()
        pool = exchange.service.pool
        log = await pool.fetch("select data, meta from eventstore.event")
        results = await pool.fetch("select result from eventstore.command")
        stored = b"".join(bytes(column) for row in (*log, *results) for column in row if column)
        assert b"p-ketua" in stored
        for secret in (b"Siti", b"021-555"):
            assert secret not in stored
        assert "Siti" not in caplog.text
        row = await pool.fetchrow("select * from vault.person")
        [event] = await exchange.service.store.read_stream("person-p-ketua")
        registered = decode(event.type, event.data)
        assert isinstance(registered, PersonRegistered)
        assert registered.record_sha256 == sha256(row["salt"] + row["record"]).hexdigest()


async def test_a_repeated_registration_changes_nothing_and_another_record_needs_a_new_key(database):
    async with at_work(database) as exchange:
        first = await signer(exchange, key="chair")
        assert await signer(exchange, key="chair") == first
        changed = {"person": "p-ketua", "region": "31", "record": CHAIR | {"name": "Lain"}}
        status, problem = await exchange.post("/commands/register-person", changed, key="chair")
        assert (status, problem["code"]) == (422, "idempotency-key-reused")
        _, kept = await exchange.get("/people/p-ketua", ADMIN)
        assert kept["record"] == CHAIR
        await exchange.command("register-person", changed)
        _, kept = await exchange.get("/people/p-ketua", ADMIN)
        assert kept["record"]["name"] == "Lain"
        assert len(await exchange.service.store.read_stream("person-p-ketua")) == 2


@pytest.mark.parametrize(
    ("who", "regions"), [(BAWASLU, ("31",)), (POLICE, ("31",)), (REGISTRAR, ("32",))]
)
async def test_a_record_is_read_and_written_by_registrars_of_the_region_alone(
    database, who, regions
):
    async with at_work(database) as exchange:
        await signer(exchange)
        status, problem = await exchange.get("/people/p-ketua", who, regions)
        assert (status, problem["code"]) == (403, "forbidden")
        body = {"person": "p-ketua", "region": "31", "record": CHAIR | {"name": "Lain"}}
        for name, fields in (("register-person", body), ("forget-person", {"person": "p-ketua"})):
            status, _ = await exchange.post(f"/commands/{name}", fields, who, regions=regions)
            assert status == 403
        _, kept = await exchange.get("/people/p-ketua", ADMIN)
        assert kept["record"] == CHAIR


async def test_a_record_with_unknown_members_is_refused_without_being_repeated(database):
    async with at_work(database) as exchange:
        body = {"person": "p-1", "region": "31", "record": {"name": "Rahasia Sekali", "nik": "317"}}
        status, problem = await exchange.post("/commands/register-person", body)
        assert status == 422
        assert "Rahasia" not in str(problem) and "317" not in str(problem)


async def test_a_kill_between_keeping_and_recording_renders_once_in_effect(database, monkeypatch):
    bus = MemoryBus()
    keep = documents.keep

    async def kept_and_killed(connection: Any, document: Any) -> None:
        await keep(connection, document)
        died.set()
        await asyncio.Event().wait()

    died = asyncio.Event()
    monkeypatch.setattr(policies.store, "keep", kept_and_killed)
    async with at_work(database, bus) as exchange:
        await exchange.post("/imports/directory", {}, ADMIN)
        await exchange.command("draft-letter", LETTER)
        await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER})
        async with asyncio.timeout(20):
            await died.wait()
        assert await kept(exchange) == 0
    monkeypatch.setattr(policies.store, "keep", keep)
    async with at_work(database, bus) as exchange:
        await exchange.own()
        event = await rendered(exchange)
        _, content = await pdf(exchange)
        assert sha256(content).hexdigest() == event.sha256
        assert await kept(exchange) == 1


async def test_the_wish_to_record_is_carried_out_by_the_next_process(database, monkeypatch):
    bus = MemoryBus()
    async with at_work(database, bus) as exchange:
        await exchange.directory()
        monkeypatch.setattr(exchange.service.worker._executor, "step", _never)
        await exchange.command("draft-letter", LETTER)
        await exchange.command("issue-letter", {"letter": "PAM-31.71", **NUMBER})
        async with asyncio.timeout(20):
            while not await exchange.service.pool.fetchval(
                "select count(*) from documents.document"
            ):
                await asyncio.sleep(0.02)
        life = await exchange.service.store.read_stream("letter-PAM-31.71")
        assert life[-1].type == LetterIssued.type
    async with at_work(database, bus) as exchange:
        await exchange.own()
        event = await rendered(exchange)
        assert sha256((await pdf(exchange))[1]).hexdigest() == event.sha256


async def _never() -> int:
    await asyncio.Event().wait()
    return 0


async def test_a_supplement_tells_only_what_changed_and_refers_to_its_letter(database):
    async with at_work(database) as exchange:
        await exchange.directory()
        await exchange.report(*city())
        await exchange.send_letter()
        await exchange.report(ready("PPK-31.71.02", "31.71.02"))
        await exchange.issue("PAM-31.71-S1")
        service = exchange.service
        letters = LetterDocuments(lambda: service.store, "http://x/verify", Renderer())
        async with service.pool.acquire() as connection:
            source = await letters.source(connection, "PAM-31.71-S1")
        assert source.data["original"] == "nomor 1/PP.08-SD/3171/2023 tanggal 30 Oktober 2023"
        assert [row["name"] for row in source.data["sites"]] == ["Gudang PPK-31.71.02"]
        assert [row["change"] for row in source.data["changes"]] == ["Tempat baru"]
        assert source.data["schedule"] == []
        assert (await rendered(exchange, "PAM-31.71-S1")).sha256


async def test_a_thousand_letters_from_fifty_callers_are_numbered_without_gap_and_rendered(
    database,
):
    async with at_work(database) as exchange:
        await exchange.directory()
        names = [f"S-{n}" for n in range(1000)]
        for start in range(0, 1000, 200):
            drafts = [
                {"name": "draft-letter", **LETTER, "letter": name, "attach_sites": False}
                for name in names[start : start + 200]
            ]
            status, answer = await exchange.post("/commands", {"commands": drafts})
            assert status == 200
            assert {each["status"] for each in answer["results"]} == {201}
        await asyncio.gather(*(_issue(exchange, names[caller::50]) for caller in range(50)))
        for _ in ("rendered", "shown"):
            position = await exchange.service.store.position()
            await exchange.service.wait_until_acted("exchange", position, 240.0)
        rows = await exchange.service.pool.fetch(
            "select number, document from exchange.letter where number is not null"
        )
        assert sorted(int(row["number"].split("/")[0]) for row in rows) == list(range(1, 1001))
        assert len({row["document"] for row in rows} - {None}) == 1000


async def _issue(exchange: Exchange, names: list[str]) -> None:
    service = exchange.service
    for name in names:
        command = IssueLetter(letter=name, **NUMBER)
        context = await service.own_context([command])
        request = Request(command, uuid4(), name.encode(), context)
        await service.handler.handle(request)
