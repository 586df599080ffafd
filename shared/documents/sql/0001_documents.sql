-- Issued documents, kept by the hash of their bytes: what was issued stays what it was.

create schema if not exists documents;

create table documents.document (
    sha256     bytea primary key,
    media_type text not null,
    content    bytea not null,
    kept_at    timestamptz not null default clock_timestamp(),
    check (sha256 = sha256(content))
);

create procedure documents.admit(p_role text) language plpgsql as $$
begin
    execute format('grant usage on schema documents to %I', p_role);
    execute format('grant select, insert on documents.document to %I', p_role);
end $$;
