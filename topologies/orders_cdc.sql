-- Orders from a database's change log: what each customer has open now, and since when.
--
-- Debezium writes every change of the table `orders` to Kafka. With a PRIMARY KEY the source is an
-- upsert stream: an update takes its old row back and adds the new one, so the totals below are what
-- the database itself would answer, also after corrections and deletions.
--
-- The result changes, so both outputs take upserts: Delta merges them by key, Kafka gets a record
-- keyed by customer_id, and one without a value where a customer has nothing open any more.

SET checkpoint_interval = '10 seconds';

CREATE TABLE orders (
    order_id    bigint PRIMARY KEY,
    customer_id bigint        NOT NULL,
    status      text          NOT NULL CHECK (status IN ('open', 'paid', 'cancelled')),
    amount      numeric(12,2) NOT NULL,
    created_at  timestamptz   NOT NULL
) USING kafka WITH (
    topic = '${ORDERS_TOPIC:-shop.public.orders}',
    bootstrap_servers = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
    format = 'debezium_json',
    on_error = 'dead_letter',
    dead_letter_topic = 'orders.dead'
);

CREATE VIEW open_by_customer AS
SELECT customer_id, count(*) AS orders, sum(amount)::numeric(20,2) AS amount,
       min(created_at) AS oldest
FROM orders
WHERE status = 'open'
GROUP BY customer_id;

CREATE MATERIALIZED VIEW open_orders
USING delta WITH (location = '${LAKE:-lake}/open_orders')
AS SELECT customer_id, orders, amount, oldest FROM open_by_customer;

CREATE MATERIALIZED VIEW open_orders_topic
USING kafka WITH (
    topic = 'open_orders',
    bootstrap_servers = '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
    format = 'json'
)
AS SELECT customer_id, orders, amount, oldest FROM open_by_customer;
