-- Personal data: nowhere else than here. Events name a person by id and hold the salted hash of the record.

create schema if not exists vault;

create table vault.person (
    person text primary key,
    region text not null,
    sha256 text not null,
    salt   bytea,
    record bytea,
    check ((salt is null) = (record is null)),
    check (record is null or sha256 = encode(sha256(salt || record), 'hex'))
);
comment on column vault.person.sha256 is 'Of salt and record; without them it says nothing.';

create procedure vault.admit(p_role text) language plpgsql as $$
begin
    execute format('grant usage on schema vault to %I', p_role);
    execute format('grant select, insert, update on vault.person to %I', p_role);
end $$;
