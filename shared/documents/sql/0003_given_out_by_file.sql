-- The same content may be other bytes, once a person in it is forgotten: both were handed out.

alter table documents.given_out drop constraint given_out_pkey, add primary key (sha256);
drop index documents.given_out_document;
create index given_out_content on documents.given_out (content_sha256);
