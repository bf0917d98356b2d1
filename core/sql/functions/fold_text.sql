-- Text as people look for it: without capitals and accents. No extension is needed for it, and none may be there.
create or replace function fold_text(p_text text)
returns text
language sql immutable parallel safe
as $$
    select lower(translate(
        p_text,
        'ÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝàáâãäåçèéêëìíîïñòóôõöùúûüýÿ',
        'AAAAAACEEEEIIIINOOOOOUUUUYaaaaaaceeeeiiiinooooouuuuyy'
    ))
$$;
alter function fold_text owner to payhub_owner;
revoke all on function fold_text from public;
grant execute on function fold_text to payhub_app;
