-- name: overdue
-- Letters whose addressee missed a deadline that was not escalated yet.
select letter, addressee, step, due
from exchange.letter as l,
    lateral (values
        ('acknowledge', l.answer_due, l.state in ('issued', 'dispatched')),
        ('follow-up', l.follow_up_due, l.state = 'acknowledged')
    ) as deadline (step, due, waits)
where waits and due < :now::timestamptz and not (step = any(l.escalated))
order by due
limit 1000;
