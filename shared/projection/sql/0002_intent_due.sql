-- Intents are carried out in the order in which they fell due.

create index intent_due on projection.intent (due_at) where state = 'pending';
