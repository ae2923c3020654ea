-- Version 2: counts of records for monitor/, which can be emptied at any time and are then counted again.
CREATE TABLE tallied (
    chain INTEGER PRIMARY KEY,         -- 0: how often counting has begun again
    sequence INTEGER NOT NULL          -- of the last record of the chain that is counted
);

CREATE TABLE tallies (
    series TEXT NOT NULL,              -- what is counted; see monitor/tally.py
    width INTEGER NOT NULL,            -- seconds: 600 or 86400
    start INTEGER NOT NULL,            -- seconds since 1970, UTC
    counts BLOB NOT NULL,              -- integers, compressed by zlib
    PRIMARY KEY (width, start, series)
);

-- What a challenger would have decided, beside the decision of this id.
CREATE VIEW shadows AS
SELECT
    records.id,
    strftime('%Y-%m-%dT%H:%M:%fZ', records.time / 1000000.0, 'unixepoch') AS time,
    records.subject AS decision_id,
    models.name AS model_name,
    models.version AS model_version,
    records.model AS model_sha256,
    records.applicant,
    records.probability,
    records.decision,
    records.points,
    records.payload IS NULL AS is_erased
FROM records
LEFT JOIN models ON models.sha256 = records.model
WHERE records.kind = 'shadow';
