-- Tests of revenue.sql.

SET test = 'both outputs see the same bids';
INSERT INTO bids (auction, bidder, price, channel, date_time) VALUES
    (1, 1, 1050, 'web', '2026-01-01 10:00:00Z'),
    (2, 2,  250, 'web', '2026-01-01 10:00:09Z'),
    (3, 1,  700, NULL,  '2026-01-01 10:00:05Z'),
    (4, 1,  100, 'web', '2026-01-01 10:00:15Z');
-- The watermark is 10:00:10: the first ten seconds are over, the hour is not.
INSERT INTO revenue VALUES
    ('2026-01-01 10:00:00Z', 'web',    2, 13.00, 10.50, '2026-01-01'),
    ('2026-01-01 10:00:00Z', 'direct', 1,  7.00,  7.00, '2026-01-01');
INSERT INTO revenue_by_hour SELECT WHERE false;
SET finish = on;
INSERT INTO revenue (window_start, channel, revenue) VALUES
    ('2026-01-01 10:00:10Z', 'web', 1.00);
INSERT INTO revenue_by_hour VALUES
    ('2026-01-01 10:00:00Z', 'web',    3, 2, 14.00),
    ('2026-01-01 10:00:00Z', 'direct', 1, 1,  7.00);

SET test = 'a bid without a price is a dead letter';
INSERT INTO bids (auction, bidder, price, date_time) VALUES
    (1, 1, NULL, '2026-01-01 10:00:00Z'),
    (1, 1, -5,   '2026-01-01 10:00:00Z');
SET finish = on;
INSERT INTO "bids.dead" (reason, "constraint") VALUES
    ('not_null', 'price'), ('check', 'bids_price_check');
INSERT INTO revenue SELECT WHERE false;

SET test = 'midnight belongs to the new day';
INSERT INTO bids (auction, bidder, price, channel, date_time) VALUES
    (1, 1, 100, 'app', '2026-01-01 23:59:59.999999Z'),
    (1, 1, 200, 'app', '2026-01-02 00:00:00Z');
SET finish = on;
INSERT INTO revenue (day, revenue) VALUES ('2026-01-01', 1.00), ('2026-01-02', 2.00);
