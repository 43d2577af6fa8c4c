-- Tests of hot_auctions.sql: run them with `millrace test topologies/`.

SET test = 'a window is written once, when the watermark passes its end';
INSERT INTO bids (auction, bidder, price, channel, date_time) VALUES
    (1, 10, 100, 'web', '2026-01-01 00:00:01Z'),
    (1, 11, 250, 'app', '2026-01-01 00:00:09.999Z'),
    (2, 10,  70, NULL,  '2026-01-01 00:00:03Z'),
    (1, 12,  50, 'web', '2026-01-01 00:00:10Z');
-- The watermark stands at 00:00:08 (two seconds of delay): no window has ended.
INSERT INTO hot_auctions SELECT WHERE false;
SET watermark.bids = '2026-01-01 00:00:10Z';
INSERT INTO hot_auctions VALUES
    ('2026-01-01 00:00:00Z', 1, 2, 350, 250),
    ('2026-01-01 00:00:00Z', 2, 1,  70,  70);
SET finish = on;
INSERT INTO hot_auctions VALUES ('2026-01-01 00:00:10Z', 1, 1, 50, 50);

SET test = 'the slowest partition decides when a window closes';
INSERT INTO bids (_partition, auction, bidder, price, date_time) VALUES
    (0, 1, 1, 5, '2026-01-01 00:00:01Z'),
    (0, 1, 1, 5, '2026-01-01 00:01:00Z');
INSERT INTO bids (_partition, auction, bidder, price, date_time) VALUES
    (1, 1, 1, 7, '2026-01-01 00:00:02Z');
INSERT INTO hot_auctions SELECT WHERE false;
INSERT INTO bids (_partition, auction, bidder, price, date_time) VALUES
    (1, 9, 1, 1, '2026-01-01 00:00:20Z');
INSERT INTO hot_auctions VALUES ('2026-01-01 00:00:00Z', 1, 2, 12, 7);
SET finish = on;
INSERT INTO hot_auctions (window_start, auction, bids) VALUES
    ('2026-01-01 00:01:00Z', 1, 1), ('2026-01-01 00:00:20Z', 9, 1);

SET test = 'a bid whose window its own partition has closed is late';
INSERT INTO bids (auction, bidder, price, date_time) VALUES
    (1, 1, 5, '2026-01-01 00:00:30Z'),
    (1, 1, 6, '2026-01-01 00:00:15Z'),
    (1, 1, 7, '2026-01-01 00:00:21Z');
CHECKPOINT;
INSERT INTO late_bids VALUES
    (1, 6, '2026-01-01 00:00:15Z', 'hot_auctions', 8000000, 'late');
SET finish = on;
INSERT INTO hot_auctions (window_start, auction, bids, total) VALUES
    ('2026-01-01 00:00:20Z', 1, 1, 7), ('2026-01-01 00:00:30Z', 1, 1, 5);
INSERT INTO dead_bids SELECT WHERE false;

SET test = 'a bid that breaks the contract is a dead letter';
INSERT INTO bids (auction, bidder, price, date_time) VALUES
    (1, 1,    0, '2026-01-01 00:00:01Z'),
    (1, NULL, 3, '2026-01-01 00:00:02Z'),
    (1, 1,    4, NULL),
    (1, 1,    2, '2026-01-01 00:00:03Z');
SET finish = on;
INSERT INTO hot_auctions VALUES ('2026-01-01 00:00:00Z', 1, 1, 2, 2);
INSERT INTO dead_bids (topic, partition, reason, "constraint") VALUES
    ('bids', 0, 'check',    'bids_price_check'),
    ('bids', 0, 'not_null', 'bidder'),
    ('bids', 0, 'not_null', 'date_time');
