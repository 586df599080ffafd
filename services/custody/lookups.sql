-- name: ready
-- Those of these places that are registered.
select place, region from places.place where place = any(:ids::text []) and state = 'ready';
