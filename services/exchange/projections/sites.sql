create table site (
    site text primary key,
    region text not null,
    name text not null,
    function text not null,
    address text not null,
    owner text not null,
    latitude_udeg integer not null,
    longitude_udeg integer not null,
    capacity_m2 bigint not null,
    cctv boolean not null,
    state text not null default 'proposed',
    opens_on text not null default '',
    closes_on text not null default '',
    contact text not null default '',
    replaced_by text,
    reason text not null default ''
);
create index site_region on site (region text_pattern_ops);

create table kelurahan (region text primary key, name text not null);

create table station (tps text primary key, region text not null, boxes integer not null);
create index station_region on station (region text_pattern_ops);
