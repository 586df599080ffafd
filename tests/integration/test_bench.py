"""One row of the bench on a real Postgres: it runs, and leaves nothing but its figures."""

from pathlib import Path

from tests.bench import report
from tests.bench.room import opened
from tests.bench.rounds import measure
from tests.bench.row import Row, Target, figure
from tests.bench.stores import appending, copying, pgbench


async def test_a_row_is_measured_in_a_room_that_is_gone_afterwards(tmp_path: Path) -> None:
    contenders = (
        appending("kawal", 4),
        appending("kawal, two processes", 4, processes=2),
        pgbench("pgbench", 2),
        copying(),
    )
    row = Row("row", "a row", "events/s", contenders, (Target("any", 0, figure("kawal")),))
    async with opened(tmp_path / "room", 0.2, tmp_path / "peers") as room:
        figures = await measure(row, room, 1, lambda _: None)
    assert figures.absent == {}
    assert list(figures.samples) == [one.name for one in contenders]
    assert {"rate", "p50_ms", "p99_ms"} == set(figures.samples["kawal"][0])
    assert report.entry(row, figures, "here")["met"] is True
    assert list(tmp_path.iterdir()) == []
