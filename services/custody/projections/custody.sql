-- Nearly every event changes a row here, so no index covers a column that changes: updates stay
-- within their page (HOT), which the free space is for.
create table unit (
    unit text collate "C" primary key,
    kind text not null,
    contents text not null,
    home text collate "C" not null,
    tps text collate "C",
    state text not null,
    custodian text not null,
    place text not null,
    seal text,
    consignment text,
    damaged boolean not null,
    broken boolean not null default false,
    elsewhere text [] not null default '{}',
    position bigint not null
) with (fillfactor = 60);

create index unit_home on unit (home);
create index unit_broken on unit (unit) where broken;

create table consignment (
    consignment text collate "C" primary key,
    tps text collate "C",
    direction text not null,
    region text collate "C" not null,
    regions text [] not null,
    origin text not null,
    destination text not null,
    legs int not null,
    units int not null,
    release_from timestamptz not null,
    release_until timestamptz not null,
    state text not null,
    leg int not null,
    missing int not null,
    departed_at timestamptz,
    received_at timestamptz,
    late boolean not null default false,
    position bigint not null
) with (fillfactor = 60);

create index consignment_region on consignment (region);

create table incident (
    incident text collate "C" primary key,
    kind text not null,
    unit text,
    tps text,
    consignment text,
    leg int not null,
    units text [] not null,
    region text collate "C" not null,
    place text not null,
    detail text not null,
    status text not null,
    remedy text,
    raised_at timestamptz not null,
    closed_at timestamptz
);
