-- What a tenant asks of its people before they do what matters. Without a row, the defaults hold.
create table security_settings (
    tenant_id              int not null references tenants (id),
    step_up_s              int not null,      -- a proof of who one is counts for so long
    step_up_above          bigint,            -- paying more than this needs one, minor units; null: no amount does
    operators_need_factor  boolean not null,
    updated_at             timestamptz not null default now(),
    primary key (tenant_id),
    constraint a_proof_counts_for_minutes check (step_up_s between 60 and 3600),
    constraint above_an_amount check (step_up_above between 0 and 9007199254740991)
);
alter table security_settings owner to payhub_owner;
