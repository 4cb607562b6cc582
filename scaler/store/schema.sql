CREATE TABLE applications (
  name       TEXT PRIMARY KEY,
  file       TEXT NOT NULL,
  text       BLOB NOT NULL,
  paused     INTEGER NOT NULL,
  destroying INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- A group's row may outlive or precede its application's: no foreign keys.
CREATE TABLE groups (
  application TEXT NOT NULL,
  name        TEXT NOT NULL,
  wanted      INTEGER NOT NULL DEFAULT 0,
  known       INTEGER NOT NULL DEFAULT 0,
  paused      INTEGER NOT NULL DEFAULT 0,
  last_out    INTEGER NOT NULL DEFAULT 0,
  last_in     INTEGER NOT NULL DEFAULT 0,
  dropping    TEXT NOT NULL DEFAULT '[]',
  next_number INTEGER NOT NULL DEFAULT 0,
  user_data   TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (application, name)
) STRICT;

CREATE TABLE nodes (
  application TEXT NOT NULL,
  grp         TEXT NOT NULL,
  name        TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  ready_at    INTEGER NOT NULL,
  PRIMARY KEY (application, grp, name)
) STRICT;

CREATE TABLE decisions (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  application TEXT NOT NULL,
  grp         TEXT NOT NULL,
  decision    TEXT NOT NULL
) STRICT;
CREATE INDEX decisions_by_group ON decisions (application, grp, id);

CREATE TABLE journal (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  at          INTEGER NOT NULL,
  application TEXT NOT NULL,
  grp         TEXT NOT NULL,
  shard       TEXT NOT NULL,
  decision    INTEGER NOT NULL,
  phase       TEXT NOT NULL,
  detail      TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_group ON journal (application, grp, id);
