-- A row like the append's, made in the server, which spares pgbench to send it.
insert into event (id, stream_id, version, type, recorded_at, command_id, data, meta)
values (gen_random_uuid(), 'unit-' || gen_random_uuid(), 1, 'custody.unit-handed-over.v1',
        clock_timestamp(), gen_random_uuid(), convert_to(repeat('x', 378), 'UTF8'),
        convert_to(repeat('x', 220), 'UTF8'));
