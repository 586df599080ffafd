-- DDL takes no parameters, so these queries return the statements to run; format() quotes names and passwords.

-- name: create_role(role, password)$
-- The role with this password, whether it exists or not.
select format(case when exists (select from pg_roles where rolname = :role) then 'alter' else 'create' end
              || ' role %I with login password %L', cast(:role as text), cast(:password as text));

-- name: create_database(name, owner, template)$
-- Nothing if the database exists.
select format('create database %I owner %I template %I', cast(:name as text), cast(:owner as text), cast(:template as text))
 where not exists (select from pg_database where datname = :name);

-- name: close_database(name)$
-- Without this every role of the server may connect.
select format('revoke all on database %I from public', cast(:name as text));

-- name: open_database(name, app)$
select format('grant connect on database %I to %I', cast(:name as text), cast(:app as text));

-- name: drop_database(name)$
select format('drop database if exists %I with (force)', cast(:name as text));
