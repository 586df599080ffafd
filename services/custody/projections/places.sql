create table place (
    place text collate "C" primary key,
    kind text not null,
    region text collate "C" not null,
    state text not null
);
