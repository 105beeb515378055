-- Schema 1. app/storage/SCHEMA.md explains every table and column.

CREATE TABLE conversations (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  title         TEXT NOT NULL DEFAULT '',
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  deleted_at_ms INTEGER,
  leaf_id       INTEGER,
  settings_json TEXT NOT NULL,
  FOREIGN KEY (id, leaf_id) REFERENCES messages (conversation_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE messages (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation_id INTEGER NOT NULL REFERENCES conversations (id),
  parent_id       INTEGER,
  role            TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
  state           TEXT NOT NULL
                  CHECK (state IN ('complete', 'streaming', 'interrupted', 'stopped', 'failed')),
  created_at_ms   INTEGER NOT NULL,
  error           TEXT NOT NULL DEFAULT '',
  error_code      TEXT NOT NULL DEFAULT '',
  text            TEXT NOT NULL,
  CHECK (parent_id IS NULL OR parent_id < id),
  UNIQUE (conversation_id, id),
  FOREIGN KEY (conversation_id, parent_id) REFERENCES messages (conversation_id, id)
);

CREATE INDEX messages_by_parent ON messages (conversation_id, parent_id, id);
CREATE INDEX messages_streaming ON messages (id) WHERE state = 'streaming';

CREATE TABLE answer_stats (
  message_id             INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
  prompt_tokens          INTEGER NOT NULL,
  cached_tokens          INTEGER NOT NULL,
  generated_tokens       INTEGER NOT NULL,
  time_to_first_token_ms REAL NOT NULL,
  prompt_tokens_per_s    REAL NOT NULL,
  generated_tokens_per_s REAL NOT NULL,
  stop_reason            TEXT NOT NULL,
  dropped_messages       INTEGER NOT NULL,
  model                  TEXT NOT NULL,
  device                 TEXT NOT NULL,
  settings_json          TEXT NOT NULL,
  adapters_json          TEXT NOT NULL DEFAULT '[]'
);

CREATE TABLE settings (
  key   TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) WITHOUT ROWID;
