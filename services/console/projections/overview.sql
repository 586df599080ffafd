create table figure (
    metric text not null,
    key text not null,
    region text not null,
    n bigint not null,
    as_of timestamptz not null,
    primary key (metric, key, region)
);

create table site (
    site text primary key,
    region text not null,
    state text not null,
    unchanged boolean not null,
    as_of timestamptz not null
);

create table letter (
    letter text primary key,
    region text not null,
    state text not null,
    answer_due timestamptz,
    follow_up_due timestamptz,
    as_of timestamptz not null
);

create table koli (unit text primary key);

create table clock (service text primary key, at timestamptz not null);
