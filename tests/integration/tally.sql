create table amount (
    stream text primary key,
    total bigint not null,
    trail bigint[] not null
);
