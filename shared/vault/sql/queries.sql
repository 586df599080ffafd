-- name: put!
insert into vault.person (person, region, sha256, salt, record)
values (:person, :region, :sha256, :salt, :record)
on conflict (person) do update set
    region = excluded.region,
    sha256 = excluded.sha256,
    salt = excluded.salt,
    record = excluded.record;

-- name: forget!
update vault.person set salt = null, record = null where person = :person;

-- name: find^
select person, region, sha256, salt, record from vault.person where person = :person;

-- name: people
select person, sha256, record from vault.person where person = any(:people::text []);
