-- Tests of orders_cdc.sql. A row with _change -1 deletes its key.

SET test = 'an update takes the old row back';
INSERT INTO orders (order_id, customer_id, status, amount, created_at) VALUES
    (1, 7, 'open', 10.00, '2026-01-01 10:00Z'),
    (2, 7, 'open', 5.50,  '2026-01-01 11:00Z'),
    (3, 8, 'paid', 99.00, '2026-01-01 12:00Z');
INSERT INTO open_orders VALUES (7, 2, 15.50, '2026-01-01 10:00Z');
INSERT INTO orders (order_id, customer_id, status, amount, created_at) VALUES
    (1, 7, 'paid', 10.00, '2026-01-01 10:00Z'),
    (2, 7, 'open', 6.00,  '2026-01-01 11:00Z');
INSERT INTO open_orders VALUES (7, 1, 6.00, '2026-01-01 11:00Z');
INSERT INTO open_orders_topic (customer_id, amount) VALUES (7, 6.00);

SET test = 'a customer without open orders disappears';
INSERT INTO orders (order_id, customer_id, status, amount, created_at) VALUES
    (1, 7, 'open', 10.00, '2026-01-01 10:00Z');
INSERT INTO open_orders (customer_id, orders) VALUES (7, 1);
INSERT INTO orders (order_id, _change) VALUES (1, -1);
INSERT INTO open_orders SELECT WHERE false;

SET test = 'the changes themselves';
INSERT INTO orders (order_id, customer_id, status, amount, created_at) VALUES
    (1, 7, 'open', 10.00, '2026-01-01 10:00Z');
INSERT INTO open_orders (_change, customer_id, amount) VALUES (1, 7, 10.00);
INSERT INTO orders (order_id, customer_id, status, amount, created_at) VALUES
    (1, 8, 'open', 10.00, '2026-01-01 10:00Z');
INSERT INTO open_orders (_change, customer_id, amount) VALUES (-1, 7, 10.00), (1, 8, 10.00);

SET test = 'a status that nobody knows is a dead letter, and the row before it stands';
INSERT INTO orders (order_id, customer_id, status, amount, created_at) VALUES
    (1, 7, 'open', 10.00, '2026-01-01 10:00Z'),
    (1, 7, 'lost', 10.00, '2026-01-01 10:00Z');
INSERT INTO open_orders (customer_id, orders) VALUES (7, 1);
INSERT INTO "orders.dead" (reason) VALUES ('check');
