-- index.db, step 1: the catalogue of what is staged. seedfs is its only writer; look with "sqlite3 -readonly".
-- Times are nanoseconds since 1970-01-01 UTC. Sizes and offsets are bytes.

-- One row: who this store is and how it was created.
CREATE TABLE store (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    uuid            BLOB    NOT NULL CHECK (length(uuid) = 16), -- stands in every pack record
    created_ns      INTEGER NOT NULL,
    chunk_bytes     INTEGER NOT NULL, -- aligned range of a file that is one frame
    pack_bytes      INTEGER NOT NULL, -- a pack is sealed at this size
    commits         INTEGER NOT NULL DEFAULT 0, -- counts batches; changes with every commit
    sequence        INTEGER NOT NULL DEFAULT 0, -- of the last committed change; pack records carry theirs
    committed_ns    INTEGER NOT NULL DEFAULT 0  -- when the last batch was committed
) STRICT;

-- Every file, directory, symlink and special file. Numbers are never reused.
CREATE TABLE inode (
    ino             INTEGER PRIMARY KEY AUTOINCREMENT,
    mode            INTEGER NOT NULL, -- type and permissions, as st_mode
    nlink           INTEGER NOT NULL,
    uid             INTEGER NOT NULL,
    gid             INTEGER NOT NULL,
    rdev            INTEGER NOT NULL DEFAULT 0,
    size_bytes      INTEGER NOT NULL DEFAULT 0,
    stored_bytes    INTEGER NOT NULL DEFAULT 0, -- sum of its chunks' stored_bytes
    atime_ns        INTEGER NOT NULL,
    mtime_ns        INTEGER NOT NULL,
    ctime_ns        INTEGER NOT NULL,
    btime_ns        INTEGER NOT NULL, -- when it was created here
    content_version INTEGER NOT NULL DEFAULT 0 -- changes with every change of its bytes or size
) STRICT;

-- Names. A name is TEXT when it is valid UTF-8, else BLOB. id is the stable position for readdir.
CREATE TABLE dentry (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    parent  INTEGER NOT NULL REFERENCES inode (ino) DEFERRABLE INITIALLY DEFERRED,
    name    ANY     NOT NULL,
    ino     INTEGER NOT NULL REFERENCES inode (ino) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (parent, name)
) STRICT;
CREATE INDEX dentry_by_position ON dentry (parent, id);
CREATE INDEX dentry_by_ino ON dentry (ino);

CREATE TABLE symlink (
    ino     INTEGER PRIMARY KEY REFERENCES inode (ino) DEFERRABLE INITIALLY DEFERRED,
    target  ANY     NOT NULL -- as names: TEXT or BLOB
) STRICT;

CREATE TABLE xattr (
    ino     INTEGER NOT NULL REFERENCES inode (ino) DEFERRABLE INITIALLY DEFERRED,
    name    ANY     NOT NULL,
    value   BLOB    NOT NULL,
    PRIMARY KEY (ino, name)
) STRICT, WITHOUT ROWID;

-- Append-only pack files, packs/<id as 8 digits>.pack.
CREATE TABLE pack (
    id              INTEGER PRIMARY KEY,
    size_bytes      INTEGER NOT NULL, -- committed end; what lies beyond is garbage, cut at mount
    live_bytes      INTEGER NOT NULL, -- stored_bytes of the chunks that refer to it
    log_bytes       INTEGER NOT NULL DEFAULT 0, -- of its commit records
    sealed          INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Where the bytes are: chunk idx of a file covers [idx * chunk_bytes, ...). No row = zeros.
CREATE TABLE chunk (
    ino             INTEGER NOT NULL REFERENCES inode (ino) DEFERRABLE INITIALLY DEFERRED,
    idx             INTEGER NOT NULL,
    pack            INTEGER NOT NULL REFERENCES pack (id) DEFERRABLE INITIALLY DEFERRED,
    off_bytes       INTEGER NOT NULL, -- of the zstd frame in the pack
    stored_bytes    INTEGER NOT NULL, -- length of the frame
    raw_bytes       INTEGER NOT NULL, -- length of its content; short = the rest up to the file's end is zeros
    checksum        INTEGER NOT NULL, -- XXH3-64 of the frame
    PRIMARY KEY (ino, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX chunk_by_place ON chunk (pack, off_bytes);

-- Inodes without a name that were still open; removed at the next mount.
CREATE TABLE orphan (
    ino     INTEGER PRIMARY KEY REFERENCES inode (ino) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- ---- views for people -------------------------------------------------------------------------

-- Every name with its path; the building block of the others. Paths start without a slash.
CREATE VIEW paths AS
WITH RECURSIVE walk (ino, path) AS (
    SELECT 1, ''
    UNION ALL
    SELECT d.ino, CASE walk.path WHEN '' THEN CAST(d.name AS TEXT) ELSE walk.path || '/' || CAST(d.name AS TEXT) END
    FROM walk JOIN dentry d ON d.parent = walk.ino
)
SELECT path, ino FROM walk;

CREATE VIEW files AS
SELECT p.path, i.size_bytes AS size, i.stored_bytes AS stored,
       CASE WHEN i.stored_bytes > 0 THEN round(1.0 * i.size_bytes / i.stored_bytes, 2) END AS ratio,
       datetime(i.mtime_ns / 1000000000, 'unixepoch') AS modified,
       datetime(i.ctime_ns / 1000000000, 'unixepoch') AS changed,
       i.ino, i.nlink, printf('%o', i.mode & 4095) AS mode, i.uid, i.gid
FROM paths p JOIN inode i USING (ino)
WHERE i.mode & 61440 = 32768;

-- Totals of everything below each directory. A hard-linked file counts under each of its names.
CREATE VIEW directories AS
WITH RECURSIVE up (dir, ino) AS (
    SELECT d.parent, d.ino FROM dentry d
    UNION ALL
    SELECT d.parent, up.ino FROM up JOIN dentry d ON d.ino = up.dir
)
SELECT p.path, count(i.ino) AS files, coalesce(sum(i.size_bytes), 0) AS size,
       coalesce(sum(i.stored_bytes), 0) AS stored,
       CASE WHEN sum(i.stored_bytes) > 0 THEN round(1.0 * sum(i.size_bytes) / sum(i.stored_bytes), 2) END AS ratio
FROM paths p JOIN inode di ON di.ino = p.ino AND di.mode & 61440 = 16384
     LEFT JOIN up ON up.dir = p.ino
     LEFT JOIN inode i ON i.ino = up.ino AND i.mode & 61440 = 32768
GROUP BY p.ino;

CREATE VIEW packs AS
SELECT printf('%08d.pack', id) AS file, size_bytes AS size, live_bytes AS live, log_bytes AS log,
       CASE WHEN size_bytes > 0 THEN round(100.0 * live_bytes / size_bytes, 1) END AS live_percent, sealed
FROM pack;

-- A file counts once, whatever number of names it has; one without a name (unlinked, still open) does not.
CREATE VIEW summary AS
WITH named AS (SELECT mode & 61440 AS type, size_bytes, stored_bytes FROM inode WHERE nlink > 0)
SELECT count(*) FILTER (WHERE type = 32768) AS files,
       count(*) FILTER (WHERE type = 16384) AS directories,
       coalesce(sum(size_bytes) FILTER (WHERE type = 32768), 0) AS size,
       coalesce(sum(stored_bytes), 0) AS stored,
       round(1.0 * sum(size_bytes) FILTER (WHERE type = 32768) / nullif(sum(stored_bytes), 0), 2) AS ratio,
       (SELECT coalesce(sum(size_bytes), 0) FROM pack) AS packs,
       (SELECT datetime(committed_ns / 1000000000, 'unixepoch') FROM store) AS committed
FROM named;
