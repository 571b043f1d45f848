BEGIN TRANSACTION;
CREATE TABLE changed_samples (
    step INTEGER NOT NULL REFERENCES changes(step),
    place INTEGER NOT NULL,
    sample TEXT NOT NULL,
    before TEXT,
    before_who TEXT,           -- who had said so, and when: undo brings that back too
    before_at REAL,
    PRIMARY KEY (step, place)
) STRICT, WITHOUT ROWID;
INSERT INTO "changed_samples" VALUES(1,0,'00000000000000000000000000000000-0',NULL,NULL,NULL);
INSERT INTO "changed_samples" VALUES(1,1,'00000000000000000000000000000001-0',NULL,NULL,NULL);
INSERT INTO "changed_samples" VALUES(2,0,'00000000000000000000000000000002-0',NULL,NULL,NULL);
INSERT INTO "changed_samples" VALUES(3,0,'00000000000000000000000000000000-0',NULL,NULL,NULL);
INSERT INTO "changed_samples" VALUES(4,0,'00000000000000000000000000000003-0',NULL,NULL,NULL);
CREATE TABLE changes (
    step INTEGER PRIMARY KEY,  -- what is undone together
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,        -- of what: 'mark' or 'note'
    after TEXT,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    undone REAL,               -- when it was taken back
    turned_by TEXT NOT NULL DEFAULT '',  -- who last took it back or brought it again
    lost INTEGER NOT NULL DEFAULT 0  -- taken back, and then something else was done: no redo brings it again
) STRICT;
INSERT INTO "changes" VALUES(1,'8cf480b3fc226b0d','mark','pinned','anna',1764000047.5,NULL,'',0);
INSERT INTO "changes" VALUES(2,'8cf480b3fc226b0d','mark','excluded','ben',1764000048.0,NULL,'',0);
INSERT INTO "changes" VALUES(3,'8cf480b3fc226b0d','note','a fine answer','anna',1764000048.5,NULL,'',0);
INSERT INTO "changes" VALUES(4,'8cf480b3fc226b0d','mark','excluded','ben',1764000049.0,1764000049.5,'anna',0);
CREATE TABLE comparisons (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    notes TEXT NOT NULL DEFAULT '',
    who TEXT NOT NULL,
    created REAL NOT NULL,
    deleted REAL
) STRICT;
INSERT INTO "comparisons" VALUES('c20261129-032028-57c568','two seeds','before the holidays','anna',1764000001.5,NULL);
CREATE TABLE events (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs(id),
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
INSERT INTO "events" VALUES(1,'20251124-030001-000001',1764000002.5,'queued','waiting for its turn');
INSERT INTO "events" VALUES(2,'20251124-030001-000001',1764000003.5,'started','its turn has come');
INSERT INTO "events" VALUES(3,'20251124-030001-000001',1764000006.0,'selected','epoch 0: 2 of 6 samples selected');
INSERT INTO "events" VALUES(4,'20251124-030001-000001',1764000008.5,'selected','epoch 1: 2 of 6 samples selected');
INSERT INTO "events" VALUES(5,'20251124-030001-000001',1764000010.5,'done','done');
INSERT INTO "events" VALUES(6,'20251124-030002-000002',1764000012.0,'queued','waiting for its turn');
INSERT INTO "events" VALUES(7,'20251124-030002-000002',1764000013.0,'started','its turn has come');
INSERT INTO "events" VALUES(8,'20251124-030002-000002',1764000015.5,'selected','epoch 0: 2 of 6 samples selected');
INSERT INTO "events" VALUES(9,'20251124-030002-000002',1764000017.5,'failed','memory ran out');
INSERT INTO "events" VALUES(10,'20251124-030003-000003',1764000018.5,'queued','waiting for its turn');
INSERT INTO "events" VALUES(11,'20251124-030003-000003',1764000019.5,'started','its turn has come');
INSERT INTO "events" VALUES(12,'20251124-030003-000003',1764000022.0,'selected','epoch 0: 2 of 6 samples selected');
INSERT INTO "events" VALUES(13,'20251124-030003-000003',1764000024.0,'waiting','epoch 1: waiting for a review of 2 samples');
INSERT INTO "events" VALUES(14,'20251124-030003-000003',1764000025.0,'reviewed','epoch 1: reviewed by ben, decay = 0.5');
INSERT INTO "events" VALUES(15,'20251124-030003-000003',1764000026.0,'stopping','asked to stop');
INSERT INTO "events" VALUES(16,'20251124-030003-000003',1764000027.0,'stopped','stopped as asked');
INSERT INTO "events" VALUES(17,'20251124-030004-000004',1764000028.0,'queued','waiting for its turn');
INSERT INTO "events" VALUES(18,'20251124-030004-000004',1764000029.0,'started','its turn has come');
INSERT INTO "events" VALUES(19,'20251124-030004-000004',1764000031.5,'selected','epoch 0: 2 of 6 samples selected');
INSERT INTO "events" VALUES(20,'20251124-030004-000004',1764000033.5,'done','done');
INSERT INTO "events" VALUES(21,'20251124-030005-000005',1764000034.5,'queued','waiting for its turn');
INSERT INTO "events" VALUES(22,'20251124-030005-000005',1764000035.5,'started','its turn has come');
INSERT INTO "events" VALUES(23,'20251124-030005-000005',1764000038.0,'selected','epoch 0: 2 of 6 samples selected');
INSERT INTO "events" VALUES(24,'20251124-030006-000006',1764000040.0,'queued','waiting for its turn');
INSERT INTO "events" VALUES(25,'20251124-030007-000007',1764000041.0,'queued','waiting for its turn');
CREATE TABLE exports (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL REFERENCES runs(id),
    epoch INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    file TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL
) STRICT;
INSERT INTO "exports" VALUES(1,'20251124-030001-000001',1,2,'picked.jsonl','anna',1764000011.0);
CREATE TABLE marks (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
INSERT INTO "marks" VALUES('8cf480b3fc226b0d','00000000000000000000000000000000-0','pinned','anna',1764000047.5);
INSERT INTO "marks" VALUES('8cf480b3fc226b0d','00000000000000000000000000000001-0','pinned','anna',1764000047.5);
INSERT INTO "marks" VALUES('8cf480b3fc226b0d','00000000000000000000000000000002-0','excluded','ben',1764000048.0);
CREATE TABLE notes (
    pool TEXT NOT NULL,
    sample TEXT NOT NULL,
    value TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (pool, sample)
) STRICT;
INSERT INTO "notes" VALUES('8cf480b3fc226b0d','00000000000000000000000000000000-0','a fine answer','anna',1764000048.5);
CREATE TABLE reviews (
    run TEXT NOT NULL REFERENCES runs(id),
    epoch INTEGER NOT NULL,
    asked REAL NOT NULL,
    until REAL,                -- when the run goes on by itself; null: it waits
    answered REAL,
    who TEXT,                  -- null where nobody answered in time
    changes TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (run, epoch)
) STRICT;
INSERT INTO "reviews" VALUES('20251124-030003-000003',1,1764000023.5,NULL,1764000024.5,'ben','{"decay": 0.5}');
CREATE TABLE revisions (
    pool TEXT PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT;
INSERT INTO "revisions" VALUES('8cf480b3fc226b0d',6);
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    strategy TEXT NOT NULL,
    budget REAL NOT NULL,
    pool_id TEXT NOT NULL,
    pool_name TEXT NOT NULL,
    pool_rows INTEGER NOT NULL,
    model TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    created REAL NOT NULL,
    queued REAL,               -- when it last entered the queue: the queue's order
    started REAL,              -- when its present or last worker was started
    ended REAL,
    stopping REAL,             -- when somebody asked it to stop
    error TEXT,
    allow_parallel INTEGER NOT NULL DEFAULT 0,
    resume INTEGER NOT NULL DEFAULT 0,
    attempt INTEGER NOT NULL DEFAULT 0,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL,
    stage TEXT,
    epoch INTEGER,
    done INTEGER,
    total INTEGER,
    unit TEXT,
    tokens INTEGER,
    plan TEXT
, tags TEXT NOT NULL DEFAULT '[]', notes TEXT NOT NULL DEFAULT '', parent TEXT, comparison TEXT, deleted REAL, deleted_by TEXT) STRICT;
INSERT INTO "runs" VALUES('20251124-030001-000001','finished','done','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000002.0,1764000002.0,1764000003.0,1764000010.0,NULL,NULL,0,0,1,'old-machine',4242,1.0,1764000009.5,'train',1,2,2,'steps',80,'[["score", 0, 6], ["train", 0, 2], ["score", 1, 4], ["train", 1, 2]]','["kept", "first try"]','the one to beat',NULL,'c20261129-032028-57c568',NULL,NULL);
INSERT INTO "runs" VALUES('20251124-030002-000002','failed','failed','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000011.5,1764000011.5,1764000012.5,1764000017.0,NULL,'memory ran out',0,0,1,'old-machine',4242,1.0,1764000016.5,'train',0,2,2,'steps',80,'[["score", 0, 6], ["train", 0, 2], ["score", 1, 4], ["train", 1, 2]]','[]','','20251124-030001-000001','c20261129-032028-57c568',NULL,NULL);
INSERT INTO "runs" VALUES('20251124-030003-000003','reviewed','stopped','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000018.0,1764000018.0,1764000019.0,1764000026.5,1764000025.5,NULL,0,0,1,'old-machine',4242,1.0,1764000023.0,'train',0,2,2,'steps',80,'[["score", 0, 6], ["train", 0, 2], ["score", 1, 4], ["train", 1, 2]]','[]','',NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('20251124-030004-000004','deleted','done','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000027.5,1764000027.5,1764000028.5,1764000033.0,NULL,NULL,0,0,1,'old-machine',4242,1.0,1764000032.5,'train',0,2,2,'steps',80,'[["score", 0, 6], ["train", 0, 2], ["score", 1, 4], ["train", 1, 2]]','[]','',NULL,NULL,1764000057.5,'ben');
INSERT INTO "runs" VALUES('20251124-030005-000005','cut off','running','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000034.0,1764000034.0,1764000035.0,NULL,NULL,NULL,0,0,1,'old-machine',4242,1.0,1764000039.0,'train',0,2,2,'steps',80,'[["score", 0, 6], ["train", 0, 2], ["score", 1, 4], ["train", 1, 2]]','[]','',NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('20251124-030006-000006','queued','queued','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000039.5,1764000040.5,NULL,NULL,NULL,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','',NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('20251124-030007-000007','queued too','queued','iterit',2.0,'8cf480b3fc226b0d','small',6,'no/where',2,1764000040.5,1764000039.5,NULL,NULL,NULL,NULL,1,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'[]','',NULL,NULL,NULL,NULL);
CREATE TABLE saved_settings (
    pool TEXT NOT NULL,
    name TEXT NOT NULL,
    settings TEXT NOT NULL,
    scores TEXT NOT NULL,
    who TEXT NOT NULL,
    at REAL NOT NULL,
    deleted REAL,
    deleted_by TEXT,
    PRIMARY KEY (pool, name)
) STRICT;
INSERT INTO "saved_settings" VALUES('8cf480b3fc226b0d','narrow','{"budget": 2, "decay": 0.1}','run:20251124-030001-000001','anna',1764000050.0,NULL,NULL);
CREATE TABLE stages (
    run TEXT NOT NULL REFERENCES runs(id),
    stage TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    first_done INTEGER NOT NULL,
    first_at REAL NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at REAL NOT NULL, tokens INTEGER NOT NULL DEFAULT 0, first_tokens INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, stage, epoch)
) STRICT;
INSERT INTO "stages" VALUES('20251124-030001-000001','load',0,1,0,1764000004.5,0,0,1764000004.5,0,0);
INSERT INTO "stages" VALUES('20251124-030001-000001','score',0,1,3,1764000005.0,6,6,1764000005.5,180,90);
INSERT INTO "stages" VALUES('20251124-030001-000001','train',0,1,1,1764000006.5,2,2,1764000007.0,80,40);
INSERT INTO "stages" VALUES('20251124-030001-000001','score',1,1,3,1764000007.5,6,6,1764000008.0,180,90);
INSERT INTO "stages" VALUES('20251124-030001-000001','train',1,1,1,1764000009.0,2,2,1764000009.5,80,40);
INSERT INTO "stages" VALUES('20251124-030002-000002','load',0,1,0,1764000014.0,0,0,1764000014.0,0,0);
INSERT INTO "stages" VALUES('20251124-030002-000002','score',0,1,3,1764000014.5,6,6,1764000015.0,180,90);
INSERT INTO "stages" VALUES('20251124-030002-000002','train',0,1,1,1764000016.0,2,2,1764000016.5,80,40);
INSERT INTO "stages" VALUES('20251124-030003-000003','load',0,1,0,1764000020.5,0,0,1764000020.5,0,0);
INSERT INTO "stages" VALUES('20251124-030003-000003','score',0,1,3,1764000021.0,6,6,1764000021.5,180,90);
INSERT INTO "stages" VALUES('20251124-030003-000003','train',0,1,1,1764000022.5,2,2,1764000023.0,80,40);
INSERT INTO "stages" VALUES('20251124-030004-000004','load',0,1,0,1764000030.0,0,0,1764000030.0,0,0);
INSERT INTO "stages" VALUES('20251124-030004-000004','score',0,1,3,1764000030.5,6,6,1764000031.0,180,90);
INSERT INTO "stages" VALUES('20251124-030004-000004','train',0,1,1,1764000032.0,2,2,1764000032.5,80,40);
INSERT INTO "stages" VALUES('20251124-030005-000005','load',0,1,0,1764000036.5,0,0,1764000036.5,0,0);
INSERT INTO "stages" VALUES('20251124-030005-000005','score',0,1,3,1764000037.0,6,6,1764000037.5,180,90);
INSERT INTO "stages" VALUES('20251124-030005-000005','train',0,1,1,1764000038.5,2,2,1764000039.0,80,40);
CREATE TABLE work (
    pool TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    stage TEXT NOT NULL,
    done INTEGER NOT NULL,
    total INTEGER NOT NULL,
    arguments TEXT NOT NULL,
    error TEXT,
    started REAL NOT NULL,
    host TEXT,
    pid INTEGER,
    process_started REAL,
    heartbeat REAL NOT NULL,
    PRIMARY KEY (pool, kind)
) STRICT;
INSERT INTO "work" VALUES('8cf480b3fc226b0d','map','ready','counting',3,6,'[]',NULL,1764000041.5,'old-machine',77,1.0,1764000043.0);
INSERT INTO "work" VALUES('8cf480b3fc226b0d','lengths','ready','counting',3,6,'["--model", "no/where", "--max-length", "64"]',NULL,1764000043.5,'old-machine',77,1.0,1764000045.0);
INSERT INTO "work" VALUES('8cf480b3fc226b0d','findings','failed','counting',3,6,'[]','the disk is full',1764000045.5,'old-machine',77,1.0,1764000047.0);
CREATE INDEX events_of_run ON events(run, number);
CREATE INDEX changes_of_pool ON changes(pool, step);
COMMIT;
PRAGMA user_version = 3;
