-- Revenue by channel: what the bids of each channel came to, per window of ten seconds and per hour.
--
-- Two outputs read one source: it is read once, and one checkpoint covers both. The short windows are
-- for a dashboard; the hours are summed from the bids themselves, so both are exact.
--
--     millrace validate topologies/revenue.sql
--     millrace explain  topologies/revenue.sql
--     millrace run      topologies/revenue.sql

SET checkpoint_interval = '10 seconds';

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
    watermark_delay = '5 seconds',      -- bids may be this much out of order
    idle_timeout = '30 seconds',        -- a silent partition does not hold the windows back
    on_error = 'dead_letter',
    dead_letter_topic = 'bids.dead'     -- what breaks the contract, with its raw bytes
);

-- Bids without a channel count as 'direct'; cents become money.
CREATE VIEW sales AS
SELECT coalesce(channel, 'direct') AS channel, bidder, price * 0.01 AS amount, date_time
FROM bids;

CREATE MATERIALIZED VIEW revenue
USING delta WITH (location = '${LAKE:-lake}/revenue', partition_by = 'day')
AS SELECT window_start, channel,
          count(*) AS bids,
          sum(amount)::numeric(20,2) AS revenue,
          max(amount)::numeric(20,2) AS highest,
          date_trunc('day', window_start)::date AS day
   FROM tumble(sales, date_time, INTERVAL '10 seconds')
   GROUP BY window_start, channel;

CREATE MATERIALIZED VIEW revenue_by_hour
USING delta WITH (location = '${LAKE:-lake}/revenue_by_hour')
AS SELECT window_start AS hour, channel,
          count(*) AS bids, count(DISTINCT bidder) AS bidders,
          sum(amount)::numeric(20,2) AS revenue
   FROM tumble(sales, date_time, INTERVAL '1 hour')
   GROUP BY window_start, channel;
