-- Visits to a web site: clicks of one user with pauses under 30 minutes are one visit.
--
-- Reads a folder of JSON files (one object a line, .gz and .zst too) and writes a folder of Parquet
-- files; no broker is needed. Files appear when their rows are final and are never changed:
--
--     millrace run topologies/sessions.sql --bounded          # what is there, then end
--     millrace run topologies/sessions.sql --available-now    # what is new since the last run

CREATE TABLE clicks (
    user_id bigint      NOT NULL,
    page    text        NOT NULL,
    at      timestamptz NOT NULL
) USING files WITH (
    path = '${CLICKS:-clicks}',
    format = 'json',
    event_time = 'at',
    watermark_delay = '1 minute',
    on_error = 'skip'                   -- a line that is no click is counted and left out
);

CREATE MATERIALIZED VIEW visits
USING files WITH (path = '${VISITS:-visits}', format = 'parquet')
AS SELECT user_id,
          window_start AS began, window_end - INTERVAL '30 minutes' AS ended,
          count(*) AS clicks, count(DISTINCT page) AS pages,
          count(*) FILTER (WHERE page = '/checkout') > 0 AS bought
   FROM session(clicks, at, INTERVAL '30 minutes')
   GROUP BY user_id, window_start, window_end;
