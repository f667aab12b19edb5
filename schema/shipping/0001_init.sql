-- shipping.db, step 1: jobs, drives and what lies on them. seedship is its only writer; look with "sqlite3 -readonly".
-- Times are nanoseconds since 1970-01-01 UTC. Sizes and offsets are bytes. No key is ever kept here: a drive's
-- recovery password is in its journal (drives.journal_path).

-- What was asked once about an import job.
CREATE TABLE jobs (
    id                     INTEGER PRIMARY KEY,
    name                   TEXT    NOT NULL UNIQUE, -- of the import job as the service will know it
    staging_location       TEXT    NOT NULL,        -- where the backup software writes, for people
    subscription_id        TEXT    NOT NULL,
    resource_group         TEXT    NOT NULL,        -- of the import job
    storage_account        TEXT    NOT NULL,        -- that receives the blobs
    storage_resource_group TEXT    NOT NULL,        -- of that account
    container              TEXT    NOT NULL,
    blob_prefix            TEXT,                    -- virtual folder in the container; NULL = none
    location               TEXT    NOT NULL,        -- Azure region of the import job, such as "westeurope"
    publish_settings       TEXT,                    -- path of the subscription's file, when one is used
    blob_type              TEXT    NOT NULL CHECK (blob_type IN ('auto', 'block', 'page')),
    cipher                 TEXT    NOT NULL,        -- of the drives to be prepared, such as "aes256" or "xts_aes128"
    recipient              TEXT    NOT NULL,        -- return address from here
    street                 TEXT    NOT NULL,
    street2                TEXT,
    city                   TEXT    NOT NULL,
    state                  TEXT,
    postal_code            TEXT    NOT NULL,
    country                TEXT    NOT NULL,
    phone                  TEXT    NOT NULL,
    email                  TEXT    NOT NULL,
    carrier                TEXT,                    -- that brings the drives back
    carrier_account        TEXT,                    -- the customer's number with it
    created_ns             INTEGER NOT NULL,
    sessions               INTEGER NOT NULL DEFAULT 0, -- number of the last export session
    CHECK ((carrier IS NULL) = (carrier_account IS NULL))
) STRICT;

-- A drive being prepared for a job. phase: planned, laid_out (image and placements exist), streaming (content is
-- being written), sealed (metadata, manifest and sector 0 written), verified (read back whole).
CREATE TABLE drives (
    id                     INTEGER PRIMARY KEY,
    job                    INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    target                 TEXT    NOT NULL,        -- path of the disk or image file
    drive_id               TEXT    NOT NULL,        -- hardware serial number, without spaces
    size_bytes             INTEGER NOT NULL,        -- of the target
    session_id             TEXT    NOT NULL,        -- of the export session that prepares it
    phase                  TEXT    NOT NULL CHECK (phase IN ('planned', 'laid_out', 'streaming', 'sealed', 'verified')),
    phase_ns               INTEGER NOT NULL,        -- when it entered that phase
    partition_start_bytes  INTEGER NOT NULL,        -- of the volume on the target
    partition_bytes        INTEGER NOT NULL,
    cluster_bytes          INTEGER NOT NULL,        -- of the NTFS inside
    cipher                 TEXT    NOT NULL,
    fve_meta1_off          INTEGER NOT NULL,        -- BitLocker's own areas, offsets in the volume:
    fve_meta2_off          INTEGER NOT NULL,        --   the three metadata copies,
    fve_meta3_off          INTEGER NOT NULL,
    fve_vbb_off            INTEGER NOT NULL,        --   the relocated first sectors,
    fve_ice_off            INTEGER NOT NULL,        --   and the conversion area
    recovery_key_id        TEXT,                    -- names the recovery password, as Windows shows it
    journal_path           TEXT    NOT NULL,
    layout_path            TEXT    NOT NULL,        -- sparse image of the volume's NTFS, until it is sealed
    manifest_path          TEXT    NOT NULL,        -- on the drive, such as "\DriveManifest.xml"
    manifest_bytes         INTEGER NOT NULL DEFAULT 0, -- its length, known when the drive is laid out
    manifest_md5           BLOB    CHECK (length(manifest_md5) = 16), -- known when it is sealed
    plan_digest            BLOB,                    -- of the plan it was laid out from
    streamed_bytes         INTEGER NOT NULL DEFAULT 0, -- content below this volume offset is on the medium
    created_ns             INTEGER NOT NULL,
    UNIQUE (job, drive_id)
) STRICT;

-- Which staged file goes where. One row per blob; a hard-linked file has one per name, content under the first.
-- state: planned, sealed (in the manifest), verified (read back), changed (differs from the plan: left out of the
-- manifest, still to be shipped). A planned file is streamed once volume_end <= drives.streamed_bytes.
CREATE TABLE placements (
    id                     INTEGER PRIMARY KEY,
    drive                  INTEGER NOT NULL REFERENCES drives (id) ON DELETE CASCADE,
    seq                    INTEGER NOT NULL,        -- order of the plan and of the manifest
    ino                    INTEGER NOT NULL,        -- in index.db
    path                   ANY     NOT NULL,        -- staged path; TEXT when valid UTF-8, else BLOB
    content_version        INTEGER NOT NULL,        -- of the inode when it was planned
    size_bytes             INTEGER NOT NULL,
    blob_path              TEXT    NOT NULL,        -- container/prefix/name, as the manifest has it
    drive_path             TEXT    NOT NULL,        -- \session\name, as the manifest has it
    blob_type              TEXT    NOT NULL CHECK (blob_type IN ('block', 'page')),
    link_of                INTEGER,                 -- seq of the placement on this drive that has the content
    volume_off             INTEGER,                 -- first byte of its first extent; NULL = has no clusters
    volume_end             INTEGER,                 -- end of its furthest extent
    state                  TEXT    NOT NULL DEFAULT 'planned' CHECK (state IN ('planned', 'sealed', 'verified', 'changed')),
    note                   TEXT,                    -- why it is in that state, for people
    UNIQUE (drive, seq),
    FOREIGN KEY (drive, link_of) REFERENCES placements (drive, seq) ON DELETE CASCADE
) STRICT;
CREATE INDEX placements_by_place ON placements (drive, volume_off) WHERE volume_off IS NOT NULL;
CREATE INDEX placements_by_ino ON placements (ino, content_version);
CREATE INDEX placements_by_link ON placements (drive, link_of) WHERE link_of IS NOT NULL;

-- The clusters of a file in its volume.
CREATE TABLE extents (
    placement              INTEGER NOT NULL REFERENCES placements (id) ON DELETE CASCADE,
    file_off               INTEGER NOT NULL,
    volume_off             INTEGER NOT NULL,
    len_bytes              INTEGER NOT NULL,
    PRIMARY KEY (placement, file_off)
) STRICT, WITHOUT ROWID;

-- MD5 of the blocks of a file as they were streamed; idx counts the manifest's blocks of 4 MiB.
CREATE TABLE hashes (
    placement              INTEGER NOT NULL REFERENCES placements (id) ON DELETE CASCADE,
    idx                    INTEGER NOT NULL,
    md5                    BLOB    NOT NULL CHECK (length(md5) = 16),
    PRIMARY KEY (placement, idx)
) STRICT, WITHOUT ROWID;

-- Staged names that do not ship, or ship other than they stand, and why: nothing is left out silently.
CREATE TABLE omissions (
    id                     INTEGER PRIMARY KEY,
    job                    INTEGER NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    drive                  INTEGER REFERENCES drives (id) ON DELETE CASCADE, -- NULL = of the job as a whole
    path                   ANY     NOT NULL,        -- as in placements
    kind                   TEXT    NOT NULL,        -- one word for programs, such as "symlink"
    reason                 TEXT    NOT NULL,        -- for people
    shipped                INTEGER NOT NULL         -- 1 = the content arrives all the same
) STRICT;
CREATE INDEX omissions_by_job ON omissions (job);
CREATE INDEX omissions_by_drive ON omissions (drive) WHERE drive IS NOT NULL;

-- ---- views for people -------------------------------------------------------------------------

-- One row per job: how far it is.
CREATE VIEW job_progress AS
WITH per_drive AS (
    SELECT d.job, d.id, d.phase, count(p.id) AS files, coalesce(sum(p.size_bytes), 0) AS size,
           coalesce(sum(CASE WHEN d.phase IN ('sealed', 'verified') THEN p.size_bytes
                             WHEN coalesce(p.volume_end, 0) <= d.streamed_bytes THEN p.size_bytes END), 0) AS streamed,
           coalesce(sum(p.state IN ('sealed', 'verified')), 0) AS sealed,
           coalesce(sum(p.state = 'verified'), 0) AS verified, coalesce(sum(p.state = 'changed'), 0) AS changed
    FROM drives d LEFT JOIN placements p ON p.drive = d.id
    GROUP BY d.id
)
SELECT j.name AS job, count(r.id) AS drives, coalesce(sum(r.phase IN ('sealed', 'verified')), 0) AS drives_sealed,
       coalesce(sum(r.phase = 'verified'), 0) AS drives_verified,
       coalesce(sum(r.files), 0) AS files, coalesce(sum(r.size), 0) AS size, coalesce(sum(r.streamed), 0) AS streamed,
       coalesce(sum(r.sealed), 0) AS files_sealed, coalesce(sum(r.verified), 0) AS files_verified,
       coalesce(sum(r.changed), 0) AS files_changed,
       CASE WHEN sum(r.size) > 0 THEN round(100.0 * sum(r.streamed) / sum(r.size), 1) END AS percent
FROM jobs j LEFT JOIN per_drive r ON r.job = j.id
GROUP BY j.id;

-- What is on which drive, in the order of its manifest.
CREATE VIEW drive_contents AS
SELECT j.name AS job, d.drive_id AS drive, p.seq, CAST(p.path AS TEXT) AS path, p.size_bytes AS size,
       p.blob_path AS blob, p.blob_type AS type, p.drive_path,
       CASE WHEN p.state = 'planned' AND coalesce(p.volume_end, 0) <= d.streamed_bytes
                 AND d.phase NOT IN ('planned', 'laid_out') THEN 'streamed' ELSE p.state END AS state, p.note
FROM placements p JOIN drives d ON d.id = p.drive JOIN jobs j ON j.id = d.job
ORDER BY j.id, d.id, p.seq;

-- Everything that is staged but not shipped by a job, and why.
CREATE VIEW not_shipped AS
SELECT j.name AS job, d.drive_id AS drive, CAST(o.path AS TEXT) AS path, o.kind, o.reason
FROM omissions o JOIN jobs j ON j.id = o.job LEFT JOIN drives d ON d.id = o.drive
WHERE NOT o.shipped
UNION ALL
SELECT j.name, d.drive_id, CAST(p.path AS TEXT), 'changed', coalesce(p.note, 'differs from the plan')
FROM placements p JOIN drives d ON d.id = p.drive JOIN jobs j ON j.id = d.job
WHERE p.state = 'changed';
