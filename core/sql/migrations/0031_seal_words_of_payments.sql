-- A description is sealed under the key of whoever asked for the payment. What is older stays in `description`: nobody
-- may change a payment's row.
alter table payments add column description_sealed bytea;
