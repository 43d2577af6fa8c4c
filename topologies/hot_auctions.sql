-- Hot auctions: what each auction took in, per window of ten seconds of event time.
--
-- Bids come from Kafka as JSON. Every window is written once, when all partitions have passed its
-- end; the table is exact whatever happens to the process (`millrace demo` shows it with a kill -9).
-- A bid whose window is closed already goes to late_bids, a record that breaks the contract of
-- `bids` (its types, NOT NULL, CHECK) to dead_bids with its raw bytes and the reason: no bid is lost
-- without a trace, and bids + late + dead is what was read.

SET checkpoint_interval = '5 seconds';

CREATE TABLE late_bids (
    auction    bigint,
    price      bigint,
    date_time  timestamptz,
    _late_in   text,    -- the output that refused it
    _late_us   bigint,  -- by how much, µs behind the end of its window
    _late_kind text
) USING delta WITH (location = '${LAKE:-lake}/late_bids');

CREATE TABLE dead_bids (
    topic        text,
    partition    integer,
    "offset"     bigint,
    "timestamp"  timestamptz,
    reason       text,    -- malformed, wrong_type, not_null, check, …
    "constraint" text,
    detail       text,
    key          bytea,
    value        bytea
) USING delta WITH (location = '${LAKE:-lake}/dead_bids');

CREATE TABLE bids (
    auction   bigint      NOT NULL,
    bidder    bigint      NOT NULL,
    price     bigint      NOT NULL CHECK (price > 0),  -- cents
    channel   text,
    date_time timestamptz NOT NULL
) USING kafka WITH (
    topic = '${BIDS_TOPIC:-bids}',
    bootstrap_servers = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
    format = 'json',
    event_time = 'date_time',
    watermark_delay = '2 seconds',
    late = 'late_bids',
    dead_letter = 'dead_bids'
);

CREATE MATERIALIZED VIEW hot_auctions
USING delta WITH (location = '${LAKE:-lake}/hot_auctions')
AS SELECT window_start, auction, count(*) AS bids, sum(price) AS total, max(price) AS top
   FROM tumble(bids, date_time, INTERVAL '10 seconds')
   GROUP BY window_start, auction;
