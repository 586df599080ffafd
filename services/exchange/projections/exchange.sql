create table agency (
    agency text primary key,
    name text not null,
    sector text not null,
    region text not null,
    jurisdiction text [] not null,
    topics text [] not null,
    offices jsonb not null
);

create table letter (
    letter text primary key,
    position bigint not null unique,
    letter_kind text not null,
    region text not null,
    sender text not null,
    addressee text not null,
    attention text not null,
    agencies text [] not null,
    subject text not null,
    nature text not null,
    state text not null,
    supplements text,
    number text,
    issued_at timestamptz,
    document text,
    content text,
    drafted_at timestamptz not null,
    changed_at timestamptz not null,
    answer_due timestamptz,
    follow_up_due timestamptz,
    escalated text [] not null default '{}'
);
comment on column letter.agencies is 'The addressee, and those whose offices get a copy.';
comment on column letter.document is 'SHA-256 of the document that was made of it.';
comment on column letter.content is 'SHA-256 of what the document says, printed in it.';
create index letter_document on letter (document);
create index letter_content on letter (content);
create index letter_region on letter (region text_pattern_ops);

create table letter_site (
    letter text not null,
    site text not null,
    primary key (letter, site)
);
create index letter_site_site on letter_site (site);

create table assignment (
    site text not null,
    letter text not null,
    security_unit text not null,
    agency text not null,
    personnel integer not null,
    shifts integer not null,
    rings text [] not null,
    order_number text not null,
    assigned_at timestamptz not null,
    primary key (site, letter, security_unit)
);

create table closed_coverage (
    site text primary key,
    reason text not null,
    closed_at timestamptz not null
);

create table notice (
    position bigint primary key,
    notice text not null,
    topic text not null,
    about text not null,
    subject text not null,
    region text not null,
    agencies text [] not null,
    summary text not null,
    sent_at timestamptz not null
);
