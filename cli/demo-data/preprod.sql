-- What preprod's people made by hand, and must not lose: users of their own, and objects that stand on prod's tables.
-- :app is the service's role, :reader the analysts'.
\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;

-- Testers: prod has none of them, and on prod their ids belong to other people.
insert into users (name, delius_username, probation_region_id, email, nomis_username)
select 'Tester ' || i, 'TESTER_' || i, md5('region' || 1 + i % 12)::uuid, 'tester' || i || '@example.org', 'NOMIS_' || i
from generate_series(1, 40) i;
-- Somebody whom prod knows, too, under another id.
insert into users (id, name, delius_username, probation_region_id)
values (900001, 'Ada Brown', 'USER_2500', md5('region1')::uuid);

insert into user_role_assignments (user_id, role, granted_by)
select u.id, role, 'test lead' from users u cross join unnest(array['MANAGER', 'FUTURE_MANAGER']::user_role[]) as role
where u.delius_username like 'TESTER\_%' or u.delius_username = 'USER_2500';
insert into user_qualification_assignments (user_id, qualification, expires_on)
select id, 'PIPE', date '2027-06-30' from users where delius_username like 'TESTER\_%';

create table test_scenarios (
    id serial primary key,
    title text not null unique,
    owner_id bigint not null references users (id),
    application_id uuid references applications (id),
    created_at timestamptz not null default now()
);
comment on table test_scenarios is 'What is tried before each release';
insert into test_scenarios (title, owner_id, application_id)
select 'Scenario ' || i, u.id, md5('application' || i)::uuid
from generate_series(1, 40) i join users u on u.delius_username = 'TESTER_' || i;

create view tester_roles as
    select u.delius_username, r.role from users u join user_role_assignments r on r.user_id = u.id
    where u.delius_username like 'TESTER%';
create materialized view reporting.bookings_by_house as
    select p.ap_code, count(*) as bookings from bookings b join premises p on p.id = b.premises_id group by p.ap_code;

create function note_arrival() returns trigger language plpgsql as $$
begin
    raise debug 'arrival of %', new.crn;
    return new;
end $$;
create trigger bookings_note_arrival after insert on bookings for each row execute function note_arrival();
create index domain_events_occurred_idx on domain_events (occurred_at);

grant select on test_scenarios to :"app", :"reader";
grant select on tester_roles, reporting.bookings_by_house to :"reader";
grant select on assessments to :"reader";              -- a grant of preprod's own
