-- What inventory answers from: regions, stations with needs, sites, stock, kits, findings.

create table region (
    region text primary key,
    name   text not null,
    level  text not null,
    parent text not null,
    dapil  jsonb not null
);
create index on region (parent);

create table rules (
    singleton boolean primary key default true check (singleton),
    body      jsonb not null
);

create table item (
    item       text primary key,
    name       text not null,
    item_class integer not null,
    unit       text not null,
    per_tps    bigint not null,
    retired    text
);

create table polling_station (
    tps       text collate "C" primary key,
    region    text not null,
    number    integer,
    voters    bigint,
    special   boolean,
    source    text,
    ballots   jsonb,
    dapil     jsonb,
    items     jsonb,
    sheets    bigint not null default 0,  -- ballots of all kinds
    boxes     integer not null default 0, -- one for each ballot kind
    postponed text
);

create table site (
    site           text primary key,
    region         text not null,
    name           text not null,
    function       text not null,
    address        text not null,
    owner          text not null,
    latitude_udeg  integer not null,
    longitude_udeg integer not null,
    capacity_m2    bigint not null,
    cctv           boolean not null,
    unchanged      boolean not null,
    state          text not null,
    checklist      jsonb,
    gaps           jsonb,
    letter_number  text,
    opens_on       text,
    closes_on      text,
    contact        text,
    reason         text,
    replaced_by    text,
    changed_at     timestamptz not null
);
create index on site (region);

create table inspection (
    position bigint primary key,
    site     text not null,
    at       timestamptz not null,
    hazard   text not null,
    note     text not null
);
create index on inspection (site);

create table stock (
    site    text not null,
    item    text not null,
    variant text not null,
    region  text not null,
    good    bigint not null,
    damaged bigint not null,
    short   bigint not null,
    primary key (site, item, variant)
);

create table movement (
    position bigint primary key,
    site     text not null,
    item     text not null,
    variant  text not null,
    at       timestamptz not null,
    fact     text not null,
    reason   text not null,
    document text not null,
    good     bigint not null,
    damaged  bigint not null,
    short    bigint not null
);
create index on movement (site, item, variant, position);

create table picking (
    tps    text collate "C" primary key,
    region text not null,
    site   text not null
);

create table kit (
    kit       text collate "C" primary key,
    region    text not null,
    tps       text,
    site      text not null,
    boxes     jsonb not null,
    ballots   jsonb not null,
    items     jsonb not null,
    packed_at timestamptz not null
);

create table finding (
    finding   text collate "C" primary key,
    kind      text not null,
    region    text not null,
    tps       text,
    unit      text,
    site      text,
    status    text not null,
    detail    text not null,
    remedy    text,
    raised_at timestamptz not null,
    closed_at timestamptz
);

create table replacement (
    replacement text primary key,
    region      text not null,
    subject     text not null,
    cause       text not null,
    from_site   text
);
