-- Version 1. `?` in comments of columns: NULL where it doesn't apply. docs/decisions.md describes the tables.
CREATE TABLE models (
    sha256 TEXT PRIMARY KEY,           -- of the file
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,              -- JSON array: name, kind, levels
    content BLOB NOT NULL,             -- the file, compressed by zlib
    first_used INTEGER NOT NULL        -- microseconds since 1970, UTC
);

CREATE TABLE chains (
    chain INTEGER PRIMARY KEY,         -- random
    sequence INTEGER NOT NULL,         -- of the last record
    hash BLOB NOT NULL,                -- of the last record
    writer TEXT NOT NULL,              -- the process that appends to it
    opened INTEGER NOT NULL            -- microseconds since 1970, UTC
);

CREATE TABLE records (
    id TEXT PRIMARY KEY,               -- UUID
    chain INTEGER NOT NULL REFERENCES chains (chain),
    sequence INTEGER NOT NULL,
    kind TEXT NOT NULL,                -- decision, review, outcome, erasure, deletion
    time INTEGER NOT NULL,             -- microseconds since 1970, UTC
    request_id TEXT,
    key TEXT,                          -- name of the API key
    model TEXT,                        -- SHA-256 of the model file
    subject TEXT,                      -- the decision that a review or an outcome is about
    applicant TEXT,                    -- id as given, to search by; NULL once erased
    probability REAL,
    decision TEXT,                     -- accept, review, refuse; of a review the final one
    points INTEGER,
    reasons INTEGER,                   -- how many were asked for
    payload TEXT,                      -- JSON; NULL once erased
    salt BLOB,                         -- NULL once erased
    payload_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (chain, sequence)
);
CREATE INDEX records_by_applicant ON records (applicant, id) WHERE applicant IS NOT NULL;
CREATE INDEX records_by_decision ON records (decision, id) WHERE kind = 'decision';
CREATE INDEX records_by_subject ON records (subject, id) WHERE subject IS NOT NULL;

-- For people and BI tools: inputs as a JSON object by field name, a category as its level; NULL once erased.
CREATE VIEW decisions AS
SELECT
    records.id,
    strftime('%Y-%m-%dT%H:%M:%fZ', records.time / 1000000.0, 'unixepoch') AS time,
    records.request_id,
    records.key,
    models.name AS model_name,
    models.version AS model_version,
    records.model AS model_sha256,
    records.applicant,
    records.probability,
    records.decision,
    records.points,
    CASE WHEN records.payload IS NOT NULL THEN (
        SELECT json_group_object(
            field.value ->> 'name',
            CASE field.value ->> 'kind'
                WHEN 'category' THEN field.value -> 'levels' ->> CAST(input.value AS INTEGER)
                -- `->` keeps every digit of a number.
                ELSE json(records.payload -> ('$.inputs[' || input.key || ']'))
            END
        )
        FROM json_each(models.fields) AS field
        JOIN json_each(records.payload, '$.inputs') AS input ON input.key = field.key
    ) END AS inputs,
    records.payload IS NULL AS is_erased
FROM records
LEFT JOIN models ON models.sha256 = records.model
WHERE records.kind = 'decision';

-- SQLite's JSON ends a text at the character U+0000.
CREATE VIEW reviews AS
SELECT
    id,
    strftime('%Y-%m-%dT%H:%M:%fZ', time / 1000000.0, 'unixepoch') AS time,
    key,
    subject AS decision_id,
    applicant,
    decision AS final_decision,
    replace(payload, '\u0000', '\ufffd') ->> 'who' AS who,
    replace(payload, '\u0000', '\ufffd') ->> 'reason' AS reason,
    replace(payload, '\u0000', '\ufffd') ->> 'note' AS note
FROM records
WHERE kind = 'review';

CREATE VIEW outcomes AS
SELECT
    id,
    strftime('%Y-%m-%dT%H:%M:%fZ', time / 1000000.0, 'unixepoch') AS time,
    key,
    subject AS decision_id,
    applicant,
    payload ->> 'date' AS date,
    payload ->> 'defaulted' AS defaulted,
    payload ->> 'amount_lost' AS amount_lost
FROM records
WHERE kind = 'outcome';
