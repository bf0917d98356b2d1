-- Operators look at the holds of their tenant, those that end first at the top.
create index standings_held on standings (tenant_id, expires_at, payment_id) where held > 0;
