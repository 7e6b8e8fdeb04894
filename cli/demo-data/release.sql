-- Prod's newest releases, which the older preprod has not got: a label, a column, a wider type, a table, an index, new
-- bodies of a view and of a function; with their entries in the migration history. :app is the service's role.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
set synchronous_commit = off;

alter type user_role add value 'FUTURE_MANAGER' before 'REPORT_VIEWER';
alter table premises alter column postcode type text;
alter table applications add column risk_tier text, add column arrival_wanted date;
update applications set risk_tier = 'tier ' || (data -> 'risk' ->> 'level') where created_at >= timestamptz '2026-01-01';

create or replace view current_bookings as
    select b.id, b.crn, b.premises_id, b.bed_id, b.arrival_date, b.departure_date, b.key_worker
    from bookings b
    where daterange(b.arrival_date, b.departure_date, '[)') @> date '2026-06-15';

create or replace function working_days(period daterange) returns integer language sql stable as $$
    select count(*)::integer
    from generate_series(lower(period)::timestamp, upper(period)::timestamp - interval '1 day', interval '1 day') day
    where extract(isodow from day) < 6 and to_char(day, 'MM-DD') not in ('12-25', '12-26', '01-01')
$$;

create table placement_requests (
    id uuid primary key,
    application_id uuid not null references applications (id),
    requested_by bigint references users (id),
    radius_miles positive_int,
    expected_arrival date not null,
    created_at timestamptz not null
);
insert into placement_requests
select md5('placement' || i)::uuid, md5('application' || i)::uuid, 1 + i % :users, 1 + i % 50,
    date '2026-01-01' + i % 300, timestamptz '2026-01-01' + i * interval '10 minutes'
from generate_series(1, :applications, 2) i;
create index placement_requests_application_idx on placement_requests (application_id);
grant select, insert, update, delete on placement_requests to :"app";
create index bookings_arrival_idx on bookings (arrival_date) where bed_id is not null;

insert into flyway_schema_history
select 150 + i, '2026100' || i || '120000', description, 'SQL', 'V2026100' || i || '120000__' || replace(description, ' ', '_') || '.sql',
    hashtext(description), 'service', timestamp '2026-10-01 10:00' + i * interval '7 days', 12, true
from unnest(array['future manager role', 'premises postcode as text', 'application risk tier', 'placement requests',
    'bookings arrival index']) with ordinality as migrations (description, i);

refresh materialized view reporting.busiest_regions;
set client_min_messages = error;                      -- no word about catalogs that are not ours
analyze;
