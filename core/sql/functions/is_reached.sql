-- Whether there is a road to a person besides the socket: a phone or browser that takes pushes, or a confirmed e-mail
-- address (core.people.fields.Kind.EMAIL).
create or replace function is_reached(p_tenant int, p_person uuid)
returns boolean
language sql stable security invoker
as $$
    select exists (
               select from push_devices
                where push_devices.tenant_id = p_tenant and push_devices.person_id = p_person
                  and push_devices.gone_at is null
           )
        or exists (
               select from held_fields
                where held_fields.tenant_id = p_tenant and held_fields.person_id = p_person and held_fields.field = 6
           )
$$;
alter function is_reached owner to payhub_owner;
revoke all on function is_reached from public;
grant execute on function is_reached to payhub_app, payhub_ledger;
