-- Finds a tenant by the name it goes by in addresses. The serving role cannot see the tenants' table
-- before it has named a tenant, and this is how it learns which one to name.
drop function if exists find_tenant(text);
create or replace function find_tenant(p_slug text)
returns table (id int, slug text, name text, currency text, time_zone text, country text)
language sql stable security definer
set search_path = payhub, pg_temp
as $$
    select tenants.id, tenants.slug, tenants.name, tenants.currency, tenants.time_zone, tenants.country
      from tenants
     where tenants.slug = p_slug
$$;
alter function find_tenant owner to payhub_ledger;
revoke all on function find_tenant from public;
grant execute on function find_tenant to payhub_app;
