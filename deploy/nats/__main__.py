"""Write nats.conf."""

from deploy.nats import CONFIG, config

CONFIG.write_text(config())
