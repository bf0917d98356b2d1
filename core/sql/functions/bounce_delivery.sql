-- A mail came back that its relay had taken. With p_is_gone nobody has that address any more: it is not its person's until
-- they confirm it anew, and nothing more is sent there. Returns whether there was such a mail.
create or replace function bounce_delivery(p_tenant int, p_delivery uuid, p_code text, p_is_gone boolean)
returns boolean
language plpgsql volatile security definer
set search_path = payhub, pg_temp
as $$
declare
    v_delivery deliveries;
begin
    update deliveries
       set state = case when p_is_gone then 4 else 3 end, code = p_code
     where deliveries.tenant_id = p_tenant and deliveries.id = p_delivery and deliveries.road = 4
       and deliveries.state = 1
    returning * into v_delivery;
    if not found then
        return false;
    end if;
    if p_is_gone then
        -- The one that was written to: whoever has confirmed another one since keeps that.
        delete from held_fields
         where held_fields.tenant_id = p_tenant and held_fields.person_id = v_delivery.person_id
           and held_fields.field = 6 and held_fields.held_at < v_delivery.made_at
           and coalesce(v_delivery.field_number, held_fields.number) = held_fields.number;
    end if;
    return true;
end
$$;
alter function bounce_delivery owner to payhub_ledger;
revoke all on function bounce_delivery from public;
grant execute on function bounce_delivery to payhub_app;
