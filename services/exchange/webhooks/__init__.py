"""Webhooks: what concerns an agency, sent to its endpoints as signed CloudEvents.

`filler` reads the exchange's own log and queues each fact for the endpoints that it concerns, once.
`courier` sends what is due, one for each endpoint, so that none waits for another. A delivery is
done when that is recorded: whatever dies before, it is sent again with the same `webhook-id`.
"""
