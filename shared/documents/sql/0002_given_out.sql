-- Documents that are made when they are asked for: each that was handed out can be verified for ever,
-- whatever becomes of its template and of the people in it.

create table documents.given_out (
    content_sha256 bytea primary key,
    sha256         bytea not null references documents.document,
    number         text not null,
    at             timestamptz not null
);
create index given_out_document on documents.given_out (sha256);
comment on column documents.given_out.at is 'The moment of the fact that the document records.';

create or replace procedure documents.admit(p_role text) language plpgsql as $$
begin
    execute format('grant usage on schema documents to %I', p_role);
    execute format('grant select, insert on documents.document to %I', p_role);
    execute format('grant select, insert on documents.given_out to %I', p_role);
end $$;
