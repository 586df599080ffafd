"""What fails is tried again, holds back nothing but its subject, and is never lost."""

import asyncio
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from exchange_stack import BAWASLU, POLICE, at_work
from webhook_receiver import (
    notices,
    queued,
    quick,
    receiving,
    register,
    sending,
    subject,
    wait_for_state,
)

FAR = 3_600.0


pytestmark = pytest.mark.usefixtures("loopback")


async def test_a_failing_fact_holds_back_its_own_subject_until_it_is_given_up(database):
    down = True

    def answer(event: dict[str, Any]) -> int:
        return 500 if down and event["data"]["summary"].startswith("Kiriman BAD") else 204

    async with at_work(database) as exchange, receiving(answer) as receiver:
        await exchange.directory()
        async with sending(exchange, quick(schedule=(0, 0.3, 0.3))):
            await register(exchange, receiver.url)
            await notices(exchange.service.store, ["BAD", "A", "B", "BAD", "C"])
            await receiver.until(lambda: len(receiver.got) == 9)
            tried = [each for each in receiver.got if each.status == 500]
            assert {subject(each.event) for each in receiver.accepted} == {"A", "B", "C"}
            ids = list(dict.fromkeys(each.id for each in tried))
            assert [each.id for each in tried] == [ids[0]] * 3 + [ids[1]] * 3
            assert all("kawal-behind" not in each.headers for each in tried[:3])
            assert all(each.headers["kawal-behind"] == ids[0] for each in tried[3:])
            dead = await wait_for_state(exchange, "dead", 2)
            assert [each["id"] for each in dead] == ids[::-1]
            assert dead[0]["behind"] == ids[0] and dead[0]["status"] == 500
            _, whole = await exchange.get(f"/deliveries/{ids[0]}", POLICE)
            assert [each["status"] for each in whole["attempts"]] == [500] * 3
            assert [each["next_at"] is None for each in whole["attempts"]] == [False, False, True]
            down = False
            for id in ids:
                assert (await exchange.post(f"/deliveries/{id}/release", {}, POLICE))[0] == 200
            got = await receiver.accept(5)
            assert sorted(each.id for each in got[3:]) == sorted(ids)


async def test_order_is_kept_per_subject_whatever_fails_in_between(database):
    seen: Counter[str] = Counter()

    def answer(event: dict[str, Any]) -> int:
        seen[event["id"]] += 1
        return 503 if seen[event["id"]] == 1 and event["id"][-1] in "02468ace" else 200

    async with at_work(database) as exchange, receiving(answer) as receiver:
        await exchange.directory()
        async with sending(exchange, quick(schedule=(0, *[0.01] * 20))):
            await register(exchange, receiver.url)
            await notices(exchange.service.store, [f"S-{n % 7}" for n in range(120)])
            got = await receiver.accept(120)
        positions = {e.id: e.position for e in await exchange.service.store.read_all(0, 1_000)}
        by_subject = defaultdict(list)
        for each in got:
            by_subject[subject(each.event)].append(positions[UUID(each.event["id"])])
        assert len({each.id for each in got}) == len(got) == 120
        assert all(a < b for own in by_subject.values() for a, b in pairwise(own))


async def test_an_endpoint_that_is_gone_is_disabled_and_its_agency_told(database):
    async with at_work(database) as exchange, receiving() as other:
        async with receiving(lambda event: 410) as gone, sending(exchange):
            await exchange.directory()
            await register(exchange, other.url, "OTHER", topics=["endpoint"])
            await register(exchange, gone.url, topics=["departure"])
            await notices(exchange.service.store, ["A", "B"])
            [told] = await other.accept(1)
            assert told.event["data"]["subject"] == "POLDA-1"
            _, row = await exchange.get("/endpoints/POLDA-1", POLICE)
            assert (row["enabled"], row["disabled_because"]) == (False, "gone")
            await exchange.own()
            for who in (POLICE, BAWASLU):
                [notice] = await exchange.items("/notices?topic=endpoint", who)
                assert notice["subject"] == "POLDA-1"
            gone.answer = lambda event: 204
            await exchange.command("enable-endpoint", {"endpoint": "POLDA-1"}, POLICE)
            got = await gone.accept(2)
            assert {subject(each.event) for each in got} == {"A", "B"}


async def test_an_endpoint_to_which_nothing_gets_through_for_long_is_disabled(database):
    async with at_work(database) as exchange, receiving(lambda event: 500) as receiver:
        await exchange.directory()
        patient = quick(schedule=(0, *[0.05] * 100), give_up_after=0.2)
        async with sending(exchange, patient):
            await register(exchange, receiver.url)
            await notices(exchange.service.store, ["A"])
            await queued(exchange)
            async with asyncio.timeout(20):
                while (await exchange.get("/endpoints/POLDA-1", POLICE))[1]["enabled"]:
                    await asyncio.sleep(0.05)
            _, row = await exchange.get("/endpoints/POLDA-1", POLICE)
            assert row["disabled_because"] == "failing"
            disabled = row["disabled_at"]
            await notices(exchange.service.store, ["B"])
            await queued(exchange)
            [waiting] = await exchange.items("/deliveries?state=waiting", POLICE)
            asked = {"after": disabled}
            _, answer = await exchange.post("/endpoints/POLDA-1/replay", asked, POLICE)
            assert answer["deliveries"] == 2  # the notice of its end, and B
            receiver.answer = lambda event: 200
            await exchange.command("enable-endpoint", {"endpoint": "POLDA-1"}, POLICE)
            got = await receiver.accept(3)
            assert waiting["id"] in {each.id for each in got}


async def test_who_says_retry_after_is_left_alone_for_so_long(database):
    def answer(event: dict[str, Any]) -> web.Response:
        return web.Response(status=429, headers={"Retry-After": "3000"})

    async with at_work(database) as exchange, receiving(answer) as receiver, sending(exchange):
        await exchange.directory()
        await register(exchange, receiver.url)
        await notices(exchange.service.store, ["A"])
        await receiver.until(lambda: bool(receiver.got))
        async with asyncio.timeout(20):
            while (await exchange.get("/endpoints/POLDA-1", POLICE))[1]["paused_until"] is None:
                await asyncio.sleep(0.05)
        receiver.answer = lambda event: 200
        await notices(exchange.service.store, ["B"])
        await queued(exchange)
        waiting = await exchange.items("/deliveries?state=waiting", POLICE)
        assert len(waiting) == 2 and not receiver.accepted


async def test_a_redirection_is_a_failure_and_is_not_followed(database):
    async with at_work(database) as exchange, receiving() as target:

        def answer(event: dict[str, Any]) -> web.Response:
            return web.Response(status=307, headers={"Location": target.url})

        async with receiving(answer) as receiver, sending(exchange, quick(schedule=(0,))):
            await exchange.directory()
            await register(exchange, receiver.url)
            await notices(exchange.service.store, ["A"])
            [dead] = await wait_for_state(exchange, "dead", 1)
            assert dead["status"] == 307 and not target.got


async def test_an_endpoint_that_hangs_delays_no_other(database):
    async def hang(event: dict[str, Any]) -> int:
        await asyncio.sleep(FAR)
        return 200

    async with at_work(database) as exchange, receiving(hang) as slow, receiving() as swift:
        await exchange.directory()
        async with sending(exchange, quick(timeout=FAR)):
            await register(exchange, slow.url, "SLOW")
            await register(exchange, swift.url, "SWIFT")
            await notices(exchange.service.store, [f"S-{n}" for n in range(100)])
            await swift.accept(100)
            assert not slow.got


async def test_a_time_out_is_a_failure(database):
    async def hang(event: dict[str, Any]) -> int:
        await asyncio.sleep(FAR)
        return 200

    async with at_work(database) as exchange, receiving(hang) as slow:
        await exchange.directory()
        async with sending(exchange, quick(timeout=0.1, schedule=(0,))):
            await register(exchange, slow.url)
            await notices(exchange.service.store, ["A"])
            [dead] = await wait_for_state(exchange, "dead", 1)
            assert (dead["status"], dead["error"]) == (None, "timeout")


async def test_a_dispatcher_that_dies_loses_nothing_and_repeats_the_same_ids(database):
    async with at_work(database) as exchange, receiving() as receiver:
        await exchange.directory()
        await register(exchange, receiver.url)
        sent = 0
        for _ in range(6):
            async with sending(exchange):
                await notices(exchange.service.store, [f"S-{n % 11}" for n in range(50)])
                sent += 50
                await receiver.accept(len(receiver.accepted) + 10)
        async with sending(exchange):
            await receiver.until(lambda: len({each.event["id"] for each in receiver.got}) == sent)
        assert len({each.id for each in receiver.got}) == sent


async def test_after_a_restore_from_a_backup_the_queue_goes_on(database):
    async with at_work(database) as exchange, receiving() as receiver:
        await exchange.directory()
        async with sending(exchange):
            await register(exchange, receiver.url)
            await notices(exchange.service.store, ["A"])
            await receiver.accept(1)
            await exchange.service.store.renew_log_id()
            await notices(exchange.service.store, ["B"])
            await receiver.until(lambda: "B" in map(subject, (each.event for each in receiver.got)))
        # What was under way at the restore may come again, as the same message.
        assert len({each.id for each in receiver.got}) == 2
        assert sorted({subject(each.event) for each in receiver.got}) == ["A", "B"]
