-- Whoever reserved money is warned once before the time is over.
alter table standings add column warned_at timestamptz;
create index standings_to_warn on standings (expires_at) where held > 0 and warned_at is null;
