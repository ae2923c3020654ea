-- Version 1: the tables of schema/sqlite/1.sql. docs/decisions.md describes them.
CREATE TABLE models (
    sha256 TEXT PRIMARY KEY,           -- of the file
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,              -- JSON array: name, kind, levels
    content BYTEA NOT NULL,            -- the file, compressed by zlib
    first_used BIGINT NOT NULL         -- microseconds since 1970, UTC
);

CREATE TABLE chains (
    chain BIGINT PRIMARY KEY,          -- random
    sequence BIGINT NOT NULL,          -- of the last record
    hash BYTEA NOT NULL,               -- of the last record
    writer TEXT NOT NULL,              -- the process that appends to it
    opened BIGINT NOT NULL             -- microseconds since 1970, UTC
);

CREATE TABLE records (
    id TEXT COLLATE "C" PRIMARY KEY,   -- UUID
    chain BIGINT NOT NULL REFERENCES chains (chain),
    sequence BIGINT NOT NULL,
    kind TEXT NOT NULL,                -- decision, review, outcome, erasure, deletion
    time BIGINT NOT NULL,              -- microseconds since 1970, UTC
    request_id TEXT,
    key TEXT,                          -- name of the API key
    model TEXT,                        -- SHA-256 of the model file
    subject TEXT COLLATE "C",          -- the decision that a review or an outcome is about
    applicant TEXT COLLATE "C",        -- id as given, to search by; NULL once erased
    probability DOUBLE PRECISION,
    decision TEXT,                     -- accept, review, refuse; of a review the final one
    points INTEGER,
    reasons INTEGER,                   -- how many were asked for
    payload TEXT,                      -- JSON; NULL once erased
    salt BYTEA,                        -- NULL once erased
    payload_hash BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    UNIQUE (chain, sequence)
);
CREATE INDEX records_by_applicant ON records (applicant, id) WHERE applicant IS NOT NULL;
CREATE INDEX records_by_decision ON records (decision, id) WHERE kind = 'decision';
CREATE INDEX records_by_subject ON records (subject, id) WHERE subject IS NOT NULL;

-- For people and BI tools: inputs as a JSON object by field name, a category as its level; NULL once erased.
-- PostgreSQL reads no JSON with the character U+0000, which an id and a note may contain.
CREATE VIEW decisions AS
SELECT
    records.id,
    to_timestamp(records.time / 1000000.0) AS time,
    records.request_id,
    records.key,
    models.name AS model_name,
    models.version AS model_version,
    records.model AS model_sha256,
    records.applicant,
    records.probability,
    records.decision,
    records.points,
    (
        SELECT json_object_agg(
            field.value ->> 'name',
            CASE field.value ->> 'kind'
                WHEN 'category' THEN field.value -> 'levels' -> (input.value #>> '{}')::DOUBLE PRECISION::INTEGER
                ELSE input.value
            END
            ORDER BY field.position
        )
        FROM json_array_elements(models.fields::JSON) WITH ORDINALITY AS field (value, position)
        JOIN json_array_elements(replace(records.payload, '\u0000', '\ufffd')::JSON -> 'inputs') WITH ORDINALITY AS input (value, position)
            ON input.position = field.position
    ) AS inputs,
    records.payload IS NULL AS is_erased
FROM records
LEFT JOIN models ON models.sha256 = records.model
WHERE records.kind = 'decision';

CREATE VIEW reviews AS
SELECT
    id,
    to_timestamp(time / 1000000.0) AS time,
    key,
    subject AS decision_id,
    applicant,
    decision AS final_decision,
    replace(payload, '\u0000', '\ufffd')::JSON ->> 'who' AS who,
    replace(payload, '\u0000', '\ufffd')::JSON ->> 'reason' AS reason,
    replace(payload, '\u0000', '\ufffd')::JSON ->> 'note' AS note
FROM records
WHERE kind = 'review';

CREATE VIEW outcomes AS
SELECT
    id,
    to_timestamp(time / 1000000.0) AS time,
    key,
    subject AS decision_id,
    applicant,
    (payload::JSON ->> 'date')::DATE AS date,
    (payload::JSON ->> 'defaulted')::BOOLEAN AS defaulted,
    (payload::JSON ->> 'amount_lost')::DOUBLE PRECISION AS amount_lost
FROM records
WHERE kind = 'outcome';
