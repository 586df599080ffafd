-- name: keep!
insert into documents.document (sha256, media_type, content)
values (:sha256, :media_type, :content)
on conflict do nothing;

-- name: find^
select media_type, content from documents.document where sha256 = :sha256;
