-- Which accounts a batch moved, beside its payments: most of their people have heard of it by the time that somebody
-- looks, or cannot be reached, and then none of the payments has to be read.
alter table outbox add column account_ids bigint[];
update outbox
   set account_ids = coalesce((
           select array_agg(distinct moved.account_id)
             from payments
            cross join lateral (
                 select unnest(array[payments.payer, payments.payee])
                  union
                 select shares.account_id from shares
                  where shares.tenant_id = payments.tenant_id and shares.payment_id = payments.id
            ) as moved (account_id)
            where payments.tenant_id = outbox.tenant_id and payments.id = any (outbox.payment_ids)
       ), '{}');
alter table outbox alter column account_ids set not null;
-- A hundred ids of each are more than two kilobytes, which would be packed and put aside in pieces, to be deleted seconds
-- later. They stay in their row.
alter table outbox set (toast_tuple_target = 8160);
