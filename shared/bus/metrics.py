"""What the bus says of itself on /metrics."""

from prometheus_client import Counter, Gauge

LAG = Gauge("kawal_relay_lag_events", "Events stored and not yet on the stream", ["service"])
POSITION = Gauge("kawal_relay_position", "Last position on the stream", ["service"])
TERMS = Counter("kawal_relay_terms_ended", "Terms of the relay that an error ended", ["service"])
EPOCHS = Counter("kawal_relay_epochs", "Streams replaced for not copying their store", ["service"])
REOPENED = Counter("kawal_feed_reopened", "Consumers made anew by a feed", ["stream"])
