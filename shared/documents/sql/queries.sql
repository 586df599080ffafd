-- name: keep!
insert into documents.document (sha256, media_type, content)
values (:sha256, :media_type, :content)
on conflict do nothing;

-- name: find^
select media_type, content from documents.document where sha256 = :sha256;

-- name: note_given_out!
insert into documents.given_out (content_sha256, sha256, number, at)
values (:content_sha256, :sha256, :number, :at)
on conflict do nothing;

-- name: given_out^
-- By the hash of the document's bytes, or of its content.
select number, at from documents.given_out
where content_sha256 = :sha256 or sha256 = :sha256
limit 1;
