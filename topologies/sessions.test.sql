-- Tests of sessions.sql.

SET test = 'a pause ends a visit, exactly the pause does not';
INSERT INTO clicks VALUES
    (1, '/',         '2026-01-01 10:00Z'),
    (1, '/shoes',    '2026-01-01 10:30Z'),   -- 30 minutes after: still the same visit
    (2, '/',         '2026-01-01 10:31Z'),
    (1, '/checkout', '2026-01-01 11:00:01Z');
SET finish = on;
INSERT INTO visits VALUES
    (1, '2026-01-01 10:00Z',    '2026-01-01 10:30Z',    2, 2, false),
    (1, '2026-01-01 11:00:01Z', '2026-01-01 11:00:01Z', 1, 1, true),
    (2, '2026-01-01 10:31Z',    '2026-01-01 10:31Z',    1, 1, false);

SET test = 'a click of a slower partition joins two visits';
INSERT INTO clicks (_partition, user_id, page, at) VALUES
    (0, 1, '/a', '2026-01-01 10:00Z'),
    (0, 1, '/c', '2026-01-01 10:50Z'),
    (1, 1, '/b', '2026-01-01 10:25Z');
SET finish = on;
INSERT INTO visits (began, ended, clicks) VALUES
    ('2026-01-01 10:00Z', '2026-01-01 10:50Z', 3);

SET test = 'a visit shows when nothing can be added any more';
INSERT INTO clicks VALUES (1, '/a', '2026-01-01 10:00Z');
SET watermark.clicks = '2026-01-01 10:30Z';
INSERT INTO visits SELECT WHERE false;
SET watermark.clicks = '2026-01-01 10:30:00.000001Z';
INSERT INTO visits (user_id, clicks) VALUES (1, 1);
