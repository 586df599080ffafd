-- name: overdue
-- Deliveries to polling stations that should have been complete at the deadline. What was received
-- from `voting` on is late, whenever it is judged; what is released later serves a later polling.
select consignment, tps
from custody.consignment
where
    direction = 'outbound' and tps is not null and not late and release_from < :deadline
    and (state in ('planned', 'departed') or state = 'delivered' and received_at >= :voting)
order by consignment;
